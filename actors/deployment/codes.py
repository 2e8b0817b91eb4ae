"""Every code a fault can have: the title, and what an operator should know about it.

docs/configuration-faults.md is generated from this table; the corpus in tests/config/invalid shows each code.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CODES", "TIERS", "Code"]


class Code(NamedTuple):
    """What a fault's code stands for."""

    title: str
    explanation: str


# First two characters of a code -> the tier it belongs to.
TIERS = {
    "E0": "Reading: the files themselves, overlays, inputs and `$names`",
    "E1": "Schema: what can be written where",
    "E2": "Wiring: who hears whom, who restarts whom",
    "E3": "Policy: what may run in which mode",
    "E5": "Tests: what a `*.test.yaml` file says about a deployment",
    "W4": "Warnings: allowed, and probably not meant",
}

CODES: dict[str, Code] = {
    "E001": Code(
        "not YAML",
        "The parser could not go on. Most often a text with `: `, `#`, a bracket or a brace in it lacks "
        "quotes, or a line's indentation is off. Nothing behind this place was read.",
    ),
    "E002": Code(
        "key twice",
        "Two keys of one map are equal. YAML parsers usually let the last one win, silently; "
        "here it is a fault.",
    ),
    "E003": Code("tab as indentation", "YAML indents with spaces only."),
    "E004": Code("not UTF-8", "The file holds bytes that are no UTF-8 text, such as Latin-1 umlauts."),
    "E005": Code(
        "byte order mark",
        "The file begins with the invisible mark that some editors add. Save it as UTF-8 without it.",
    ),
    "E006": Code("forbidden character", "YAML files hold printable characters only; this one is none."),
    "E007": Code(
        "too large",
        "The file is larger, deeper or has more values than a deployment can sensibly have, aliases "
        "resolved. A few aliases of aliases are enough to exhaust a machine's memory; so there is a limit.",
    ),
    "E008": Code("empty file", "There is nothing in the file, or only comments."),
    "E009": Code("bad alias", "`*name` repeats the value marked `&name` above it; here there is none."),
    "E010": Code(
        "tag",
        "Tags such as `!!python/object` or `!!str` are not allowed; a value's type follows from its setting.",
    ),
    "E011": Code("bad key", "Keys are text; only the key `<<` takes a map, whose keys are taken over."),
    "E012": Code("second document", "One file holds one document; `---` may stand at its top only."),
    "E013": Code("unreadable file", "The file does not exist, or may not be read."),
    "E014": Code("endless extends", "Files extend each other in a circle, or in a chain of more than 16."),
    "E015": Code("not a map", "A deployment file is a map of sections at its top level."),
    "E020": Code(
        "unknown $name",
        "`$name` in lower case is an input of the deployment or a variable of the actor's `for_each`. "
        "Write `$$` for a dollar sign.",
    ),
    "E021": Code(
        "environment variable not set",
        "`$NAME` in upper case comes from the environment. `${NAME:-text}` gives what holds without it.",
    ),
    "E022": Code("input without a value", "The input has no default, and none was given with `--input`."),
    "E023": Code(
        "input of a wrong type", "An input's default, or what was given for it, is not of its type."
    ),
    "E024": Code("unknown input", "A value was given for an input that the deployment does not declare."),
    "E025": Code(
        "malformed reference",
        "A `$` must begin `$name`, `${NAME}` or `${NAME:-text}`; write `$$` for itself.",
    ),
    "E026": Code(
        "list inside text",
        "An input that is a list can only be a whole value, as in `symbols: $symbols`, never part of a text.",
    ),
    "E101": Code("unknown key", "There is no such key here. Nothing is ever silently ignored."),
    "E102": Code(
        "wrong type",
        "The value is of another type than its setting. In YAML 1.2 `yes`, `no`, `on` and `off` are texts; "
        "booleans are `true` and `false`.",
    ),
    "E103": Code("missing key", "A key that has no default is not there, or has no value."),
    "E104": Code("not a choice", "The value is not one of those the setting can have."),
    "E105": Code(
        "out of bounds", "The number, duration or amount is smaller or larger than the setting allows."
    ),
    "E106": Code("wrong form", "The text does not have the form the setting demands."),
    "E107": Code("not a duration", "Durations are a number and a unit: `250ms`, `5s`, `1m`, `8h`, `1d`."),
    "E108": Code(
        "inexact number",
        "Money, prices and fractions are exact decimals. YAML reads `0.1` as a binary fraction that is not "
        'quite 0.1: write `"0.1"`.',
    ),
    "E109": Code("not a decimal number", "The text is no decimal number, or has more than 8 decimals."),
    "E110": Code("unknown kind", "No entry of the registry has this name. `polytrade explain` lists them."),
    "E111": Code("settings that contradict each other", "Each value is possible, but not together."),
    "E112": Code("too few or too many", "The list or map has fewer or more entries than it must have."),
    "E113": Code("not a size", "Sizes are a number and a unit: `64MiB`, `2GiB`."),
    "E114": Code("unusable markets file", "The file under `catalog` cannot be read, or is wrong in itself."),
    "E115": Code("item twice", "The list holds the same item twice."),
    "E116": Code("names $names", "A variable or an input has a name that hides another one."),
    "E201": Code("unknown actor", "`reads` names an actor that the deployment does not have."),
    "E202": Code(
        "edge that carries nothing",
        "The actor reads another one, but accepts no message which that one sends. The edge is a mistake.",
    ),
    "E203": Code("pattern without a match", "No actor has an address that matches the pattern."),
    "E204": Code("unknown supervisor", "The actor or supervisor names a supervisor that is not declared."),
    "E205": Code(
        "supervisors in a circle", "Supervisors are each other's parents, so none of them is the root's."
    ),
    "E206": Code("not one root", "Exactly one supervisor has no parent."),
    "E207": Code(
        "across accounts",
        "An actor of one account reads an actor of another one: orders or money would get mixed up.",
    ),
    "E208": Code(
        "strategy without a market",
        "The strategy reads no feed of the symbol it trades: it would wait for ever.",
    ),
    "E209": Code(
        "way around risk",
        "An order could reach the OMS or the venue without having passed the risk actor.",
    ),
    "E210": Code(
        "two writers of one account",
        "Two actors of the same kind would own one account's orders, money or limits.",
    ),
    "E211": Code(
        "message that nobody takes", "The actor's purpose is to send this, and no actor reads and accepts it."
    ),
    "E212": Code(
        "message that nobody sends", "The actor cannot work without this, and nobody it reads sends it."
    ),
    "E213": Code("unknown symbol", "The markets file under `catalog` has no such symbol."),
    "E214": Code(
        "actor without its variable",
        "Actors of this kind are made per symbol or per account: `for_each` must say which.",
    ),
    "E215": Code(
        "actor that reads itself", "An actor schedules what it has to tell itself; it does not read itself."
    ),
    "E216": Code("name of many", "The name stands for several actors: say which, or all of them with `/*`."),
    "E217": Code(
        "unknown account",
        "Somebody trades for an account that no risk actor looks after, or that the exchange does not have.",
    ),
    "E218": Code(
        "books that begin differently",
        "In a deployment with its own exchange, ledger and exchange must begin with the same cash.",
    ),
    "E219": Code(
        "limits used twice",
        "Actors that share the venue's limits per address or per key may use all of them together, not more.",
    ),
    "E220": Code(
        "market of another kind",
        "Perpetual and spot markets have feeds, venues and accounts of their own; this is the other kind.",
    ),
    "E221": Code(
        "protection that sees no prices",
        "Entries are protected by exits that the OMS runs, and the OMS does not read the symbol's feed.",
    ),
    "E301": Code(
        "live without limits",
        "In live mode each limit of a risk actor must be written down, not left to a default.",
    ),
    "E302": Code(
        "live without durability",
        "In live mode an order must be on the disk before it leaves: `durability: disk`.",
    ),
    "E303": Code(
        "nobody would be woken", "In live mode an alerter must deliver pages to somebody, not only to a log."
    ),
    "E304": Code(
        "secret in plain text",
        "A key, token, password, or the address of a well-known webhook stands in the file. "
        "Keep it in Vault and write `secret://mount/path#key`.",
    ),
    "E305": Code("kind of another mode", "Actors of this kind do not run in the deployment's mode."),
    "E306": Code(
        "control for everybody",
        "The control API would listen on an address that others can reach, and it can stop trading.",
    ),
    "E307": Code(
        "clock of another mode",
        "Only backtests and simulations live in virtual time; everything else needs the real one.",
    ),
    "E308": Code(
        "failure without consequence",
        "In live mode a supervisor of actors that own orders must not go on as if nothing had happened.",
    ),
    "E309": Code(
        "malformed secret reference", "References are written `secret://mount/path#key` or `...#key@version`."
    ),
    "E310": Code("live without a key", "In live mode an actor that signs needs its key, by reference."),
    "E311": Code(
        "paper with real money",
        "Outside live mode an actor that sends orders may reach an exchange on this machine only.",
    ),
    "E312": Code(
        "live on assumed numbers",
        "A markets file marks as `assumed` what nobody has confirmed with the venue. With real money no "
        "symbol is traded on an assumed tick, contract, limit, leverage or tier; see docs/markets.md.",
    ),
    "E313": Code(
        "live on old numbers",
        "With real money a node starts only on markets files for which the venue was asked within 24 hours.",
    ),
    "E314": Code(
        "tickets that nobody sees",
        "In live mode an alerter must deliver tickets to somebody, too, not only pages: they are what "
        "becomes a page when nobody looks.",
    ),
    "E315": Code(
        "alert without runbook",
        "The alerter names a folder with runbooks, and an alert that the deployment's actors can raise has "
        "no file there. Whoever it wakes would not know what to do.",
    ),
    "E316": Code(
        "faults on purpose with real money",
        "`control: {faults: true}` lets drills fail actors and disks inside the node. Live mode refuses it.",
    ),
    "E501": Code(
        "unknown message",
        "There is no message, event or alert of this name, or none that can be sent here: a test that waits "
        "for it could never pass, or never fail.",
    ),
    "E502": Code("message that is not taken", "The actor has no use for this message."),
    "E503": Code("not one step", "A step does one thing, and an expectation is about one thing."),
    "E504": Code("not in the deployment", "The deployment under test has no such actor, symbol or account."),
    "W401": Code("actor without use", "Nobody reads the actor, and it reads nobody."),
    "W402": Code("input without use", "The input is declared, and no value refers to it."),
    "W403": Code("supervisor without children", "No actor and no supervisor names it."),
    "W404": Code("removal of nothing", "An overlay takes away what the files below it do not have."),
    "W405": Code(
        "two strategies of one position",
        "Positions are one-way: two strategies with the same account and symbol would close each other's. "
        "Give each its own symbols, or its own account.",
    ),
    "W406": Code(
        "market that is not open",
        "By the markets file the venue takes no orders, or not all of them, in a symbol to be traded.",
    ),
    "W407": Code(
        "old markets file",
        "`polytrade up` would refuse to trade real money on it (E313); `polytrade validate` tells it early.",
    ),
    "W408": Code(
        "limits shared unheard",
        "Two actors use the same limits of a venue, and one does not hear when the other is refused (429): "
        "it would learn that by refusals of its own.",
    ),
}
