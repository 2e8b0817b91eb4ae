"""What can be written in a `*.test.yaml` file. See docs/config-tests.md.

These classes are the only place where the keys of a test and their help are said; reader and schema use them.
`fields` and `where` are not among them: what they hold depends on the message that is named beside them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = [
    "STEPS",
    "SUBJECTS",
    "Expect",
    "FaultStep",
    "Given",
    "OrderStep",
    "Send",
]

SECOND_NS = 1_000_000_000
INSTANT = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$"

# What an `expect` may be about: exactly one of them.
SUBJECTS = ("message", "event", "order", "alert", "resolved", "request", "position", "halt", "state")


def key(help: str, **options: object) -> Meta:
    """Return the annotation of one key of a test."""
    return setting(help, **options)  # type: ignore[arg-type]


class Given(Settings, frozen=True, kw_only=True):
    """What a test starts from. Those of a test stand in place of those of its file, key by key."""

    environments: Annotated[
        tuple[str, ...], key("Overlays, as with `-e NAME`.", examples=(["rehearsal"],))
    ] = ()
    inputs: Annotated[
        dict[str, str], key("Values of the deployment's inputs, as with `--set NAME=VALUE`.")
    ] = field(default_factory=dict)
    variables: Annotated[dict[str, str], key("Environment variables that `$NAME` refers to.")] = field(
        default_factory=dict
    )
    start: Annotated[
        str,
        key("Instant at which the node starts, in UTC.", pattern=INSTANT, examples=("2026-01-05T12:00:00Z",)),
    ] = "2026-01-05T12:00:00Z"
    seed: Annotated[
        int, key("Another market, other chances. 0 leaves the deployment its own.", minimum=0)
    ] = 0
    settle: Annotated[Duration, key("Time the node has to come up before the first step.", minimum=0)] = (
        5 * SECOND_NS
    )
    suspended: Annotated[
        tuple[str, ...],
        key(
            "Actors that do nothing, such as strategies where the test alone shall send orders; addresses, "
            "`*` is any part.",
            examples=(["trend/*"],),
        ),
    ] = ()
    market: Annotated[
        dict[str, E8],
        key(
            "Symbols whose price the test says, and the price at the start. Others go their own way.",
            examples=({"BTC_USDT_PERP": "60000"},),
        ),
    ] = field(default_factory=dict)
    cash: Annotated[
        dict[str, E8],
        key(
            "What accounts hold at an exchange beyond the line; without it what their ledgers begin with.",
            examples=({"main": "1000"},),
        ),
    ] = field(default_factory=dict)


class Send(Settings, frozen=True, kw_only=True):
    """Send a message, as its sender would."""

    message: Annotated[str, key("Type of the message; its fields stand under `fields`.")]
    to: Annotated[str, key("Address of the actor that gets it. Without one: all that read `by`.")] = ""
    by: Annotated[str, key("Address of the actor it comes from; none is an operator at the edge.")] = ""


class OrderStep(Settings, frozen=True, kw_only=True):
    """Have a strategy wish an order: an OrderIntent to the account's risk actor, filled in."""

    symbol: Annotated[str, key("Symbol to trade.")]
    side: Annotated[Literal["buy", "sell"], key("Direction.")]
    contracts: Annotated[int, key("Size. Instead of it: `usdt`.", minimum=0)] = 0
    usdt: Annotated[E8, key("Size by value at the price now, rounded up to contracts.", minimum=0)] = 0
    limit: Annotated[E8, key("Limit price; without one it is a market order.", minimum=0)] = 0
    post_only: Annotated[bool, key("The limit order must not take what rests.")] = False
    time_in_force: Annotated[
        Literal["gtc", "ioc", "fok"], key("How long a limit order may rest; market orders are `ioc`.")
    ] = "gtc"
    reduce_only: Annotated[bool, key("It may only make the position smaller.")] = False
    strategy: Annotated[str, key("Address of the strategy; without one the first of that symbol.")] = ""
    account: Annotated[str, key("Account; without one the strategy's.")] = ""
    id: Annotated[str, key("Id of the intent, for orders that are named again; else a new one.")] = ""


class FaultStep(Settings, frozen=True, kw_only=True):
    """Let something go wrong: kinds are those of `polytrade simulate` (docs/simulation.md)."""

    kind: Annotated[str, key("What goes wrong.", examples=("venue_mute", "crash_cell", "kill"))]
    lasts: Annotated[Duration, key("For how long.", minimum=0)] = 0
    target: Annotated[str, key("Actor, or channel, as the kind says.")] = ""
    value: Annotated[int, key("Number whose meaning the kind says.")] = 0
    share: Annotated[
        E8, key("Part of what passes that it strikes, 0 to 1.", minimum=0, maximum=100_000_000)
    ] = 100_000_000


class Expect(Settings, frozen=True, kw_only=True):
    """What must come, or hold, within a time; with `expect_not` what must not."""

    message: Annotated[str, key("A message of this type was handled by its reader.")] = ""
    event: Annotated[str, key("An event of this type was written to the journal.")] = ""
    order: Annotated[
        Literal["denied", "submitted", "placed", "accepted", "filled", "canceled", "rejected", "unknown"]
        | None,
        key("Something happened to an order; `placed`: the exchange has it in its book."),
    ] = None
    alert: Annotated[str, key("An alert of this name was raised.")] = ""
    resolved: Annotated[str, key("The condition of an alert of this name ended.")] = ""
    request: Annotated[
        str, key("A request to this URL left the node; `*` is any text.", examples=("https://alerts.*",))
    ] = ""
    position: Annotated[str, key("The ledger's position of this symbol; `where: {net_contracts: 5}`.")] = ""
    halt: Annotated[str, key("A halt in force, by its scope: `all`, `symbol/BTC_USDT_PERP`, `*`.")] = ""
    state: Annotated[str, key("What `polytrade inspect` shows of this actor; `where` has paths.")] = ""
    by: Annotated[str, key("Address of the actor it comes from; `*` is any part.")] = ""
    to: Annotated[str, key("Address of the actor that took it in; `*` is any part.")] = ""
    within: Annotated[Duration, key("Time in which it must come; or must not.", minimum=0)] = SECOND_NS
    times: Annotated[int, key("Exactly so often within that time; 0: at least once.", minimum=0)] = 0
    since: Annotated[
        Literal["action", "start"], key("What counts: since the last step that did something, or all of it.")
    ] = "action"


STEPS = ("advance", "send", "order", "market", "fault", "restart", "expect", "expect_not")
