"""What an operator may write about a deployment as a whole: one settings class per section of the file.

These classes are the only place where a section's fields, units, defaults and help are said; the loader, the
JSON Schema, `explain` and the reference page all read them.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from actors.runtime.settings import Duration, Reload, Settings, setting
from actors.secrets.settings import FileSettings, VaultSettings

__all__ = [
    "ActorSection",
    "Bytes",
    "ClockSection",
    "ControlSection",
    "DeadManSection",
    "HttpSection",
    "JournalSection",
    "LoopSection",
    "SecretsSection",
    "SupervisorSection",
    "WatchSection",
]

# In code an int of bytes; in YAML `64MiB`, `2GiB`, or an integer.
Bytes = Annotated[int, Meta(extra={"format": "bytes"})]

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
NAME_PATTERN = r"^[a-z][a-z0-9_-]*$"


def at_start(help: str, *, reload: str = Reload.START, **options: Any) -> Meta:
    """Return the annotation of a setting that is read when the node starts."""
    return setting(help, reload=reload, **options)


class JournalSection(Settings, frozen=True, kw_only=True):
    """Where and how surely everything that happened is written."""

    path: Annotated[
        str,
        at_start(
            "Folder of the journal, relative to the folder of the file that says it.",
            reload=Reload.FIXED,
            examples=("../var/paper",),
        ),
    ]
    durability: Annotated[
        Literal["disk", "disk_lazy_meta", "process"],
        at_start(
            "What a commit survives: `disk` a power cut; `disk_lazy_meta` one, but for perhaps the last "
            "commit; `process` the death of the process only.",
        ),
    ] = "disk"
    sync_interval: Annotated[
        Duration,
        at_start("With `process`: how often the disk is synced anyway.", minimum=MILLISECOND_NS),
    ] = SECOND_NS
    size_max: Annotated[
        Bytes,
        at_start(
            "The journal never grows beyond this; it starts small and grows as needed.",
            minimum=16 * 1024**2,
            examples=("64GiB",),
        ),
    ] = 64 * 1024**3
    backup_within: Annotated[
        Duration,
        at_start(
            "Tell when the newest `polytrade backup` of the journal is older. 0 turns it off.",
            minimum=0,
            examples=("24h",),
            off_at_zero=True,
        ),
    ] = 0
    snapshot_events: Annotated[
        int,
        at_start("Journaled events between two snapshots of the states that changed.", minimum=100),
    ] = 20_000
    dedupe_ids_kept: Annotated[
        int,
        at_start("External ids remembered at least, to see that something came twice.", minimum=1_000),
    ] = 100_000
    dead_letters_kept: Annotated[
        int, at_start("Messages that failed their reader and are kept for inspection.", minimum=1)
    ] = 1_000
    tape: Annotated[
        bool,
        at_start("Also write every message that enters the loop, in order, to rotated files."),
    ] = False
    anchors: Annotated[
        str,
        at_start(
            "File that gets the head of the journal's chain now and then; outside the journal's folder, best "
            "on another disk. Relative to the folder of the file that says it; empty for none.",
            examples=("../var/anchors/paper.jsonl",),
        ),
    ] = ""
    anchor_every: Annotated[
        Duration, at_start("How often the head is anchored, if it has moved.", minimum=SECOND_NS)
    ] = 60 * SECOND_NS

    def __post_init__(self) -> None:
        if self.anchors and PurePath(self.anchors).is_relative_to(self.path):
            raise ValueError("anchors prove nothing in the folder of the journal they speak of")


class LoopSection(Settings, frozen=True, kw_only=True):
    """Bounds of one turn of the loop, and of every mailbox that says nothing itself."""

    inputs_max: Annotated[
        int, at_start("Messages from outside and timers taken into one turn.", minimum=1, maximum=1_000_000)
    ] = 1024
    turn_max: Annotated[
        Duration,
        at_start("No further inputs are taken once a turn has lasted this long.", minimum=100_000),
    ] = 5 * MILLISECOND_NS
    mailbox_capacity: Annotated[
        int,
        at_start("Messages that may wait for an actor which does not set its own.", minimum=1),
    ] = 10_000
    stall_after: Annotated[
        Duration,
        at_start("A loop without progress for this long is restarted from outside.", minimum=SECOND_NS),
    ] = 10 * SECOND_NS


class HttpSection(Settings, frozen=True, kw_only=True):
    """The control API over HTTP, beside the Unix socket."""

    enabled: Annotated[bool, at_start("Serve health, metrics and control over HTTP.")] = True
    host: Annotated[str, at_start("Address to listen on. Beyond loopback: `allow_remote`.")] = "127.0.0.1"
    port: Annotated[
        int, at_start("Port to listen on; 0 lets the system choose a free one.", minimum=0, maximum=65_535)
    ] = 0
    halt_token: Annotated[
        str,
        at_start(
            "Reference to the token that requests to POST /v1/hooks/halt are signed with. Empty: there is no "
            "such path. It halts; it never releases.",
            secret=True,
            examples=("secret://polytrade/hooks#halt",),
        ),
    ] = ""
    allow_remote: Annotated[
        bool, at_start("Listen beyond loopback, although whoever reaches the port can stop trading.")
    ] = False


class ControlSection(Settings, frozen=True, kw_only=True):
    """How operators reach the running node."""

    socket: Annotated[
        str,
        at_start(
            "Unix socket of the control API, readable by its owner alone; relative to the journal's folder.",
            examples=("control.sock",),
        ),
    ] = "control.sock"
    group: Annotated[
        str,
        at_start(
            "Group of this machine whose members may use the socket, too: give it a folder they can enter.",
            examples=("traders",),
        ),
    ] = ""
    http: Annotated[HttpSection, at_start("Beside the socket: HTTP, for health checks and metrics.")] = (
        HttpSection()
    )
    faults: Annotated[
        bool,
        at_start(
            "Let drills bring faults about inside the node, over the Unix socket: actors that fail or hang, "
            "a slow disk. Refused in live mode."
        ),
    ] = False


class ClockSection(Settings, frozen=True, kw_only=True):
    """Whose time the node lives in."""

    kind: Annotated[
        Literal["real", "virtual"],
        at_start(
            "`real` is the machine's UTC; `virtual` jumps to the next event, as fast as it can.",
            reload=Reload.FIXED,
        ),
    ] = "real"
    start: Annotated[
        str,
        at_start(
            "Where a virtual clock begins, as an instant in UTC.",
            reload=Reload.FIXED,
            pattern=r"^$|^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$",
            examples=("2025-10-10T00:00:00Z",),
        ),
    ] = ""

    def __post_init__(self) -> None:
        if self.start and self.kind != "virtual":
            raise ValueError("only a virtual clock has a start")


class SecretsSection(Settings, frozen=True, kw_only=True):
    """Where the values behind `secret://mount/path#key` come from."""

    provider: Annotated[
        Literal["env", "file", "vault"],
        at_start(
            "`env`: environment variables of `polytrade up`, named after the reference; `file`: an encrypted "
            "file; `vault`: a HashiCorp Vault or OpenBao server."
        ),
    ] = "env"
    prefix: Annotated[
        str,
        at_start(
            "What the names of those variables begin with; mount, path and key follow in upper case.",
            pattern=r"^[A-Z][A-Z0-9_]*$",
        ),
    ] = "POLYTRADE_SECRET_"
    defaults: Annotated[
        dict[str, str],
        at_start(
            "With `env`: values by reference where a variable is not set, for rehearsals against a local "
            "exchange; not in live mode.",
            examples=({"secret://local/exchange#key": "local-key"},),
        ),
    ] = field(default_factory=dict)
    file: Annotated[FileSettings, at_start("With `file`: which one.")] = FileSettings()
    vault: Annotated[VaultSettings, at_start("With `vault`: where it is and who we are there.")] = (
        VaultSettings()
    )

    def __post_init__(self) -> None:
        if self.provider == "file" and not self.file.path:
            raise ValueError("provider `file` needs a file: {path: ...}")
        if self.provider == "vault" and self.vault.auth != "token" and not self.vault.role:
            raise ValueError(f"provider `vault` with auth `{self.vault.auth}` needs a vault: {{role: ...}}")
        if self.provider != "vault" and self.vault.sign_anchors_with:
            raise ValueError(f"provider `{self.provider}` signs nothing: sign_anchors_with needs `vault`")


class DeadManSection(Settings, frozen=True, kw_only=True):
    """What the heart does at the venue itself when its node makes no progress, whatever restarts do."""

    after: Annotated[
        Duration,
        at_start(
            "So long after the last progress the heart ends the node and stops the accounts from outside. 0s "
            "turns it off. Without an account outside the node there is nothing to do.",
            minimum=0,
            risk="raise",
            off_at_zero=True,
        ),
    ] = 30 * SECOND_NS
    level: Annotated[
        Literal["cancel_all", "flatten"],
        at_start(
            "How far it goes: take back all orders, or close all positions as well.",
            risk="lower",
            ascending=("cancel_all", "flatten"),
        ),
    ] = "cancel_all"
    within: Annotated[
        Duration,
        at_start("How long it tries before it gives up and says what is left.", minimum=SECOND_NS),
    ] = 60 * SECOND_NS


class WatchSection(Settings, frozen=True, kw_only=True):
    """What the node watches about itself, and from where on it raises an alert. On a real clock only."""

    loop_late_max: Annotated[
        Duration,
        at_start(
            "The loop came round later than this: LoopStalled. The heart tells it from outside, too.",
            minimum=SECOND_NS // 2,
        ),
    ] = 3 * SECOND_NS
    commit_max: Annotated[
        Duration,
        at_start("Mean time of a commit of the journal from which on it is slow.", minimum=MILLISECOND_NS),
    ] = 250 * MILLISECOND_NS
    commit_for: Annotated[
        Duration, at_start("So long commits must have been slow: JournalLag.", minimum=SECOND_NS)
    ] = 5 * SECOND_NS
    memory_max: Annotated[
        Bytes,
        at_start(
            "Memory the node may have; at nine tenths of it: MemoryGrowing. 0: what its machine or container "
            "gives it.",
            minimum=0,
            examples=("2GiB",),
        ),
    ] = 0
    memory_growth_max: Annotated[
        Bytes,
        at_start(
            "It may grow by so much beyond what it held when it had settled: MemoryGrowing. 0 turns it off.",
            minimum=0,
        ),
    ] = 1024**3
    memory_settle: Annotated[
        Duration, at_start("So long after a start its memory has settled.", minimum=SECOND_NS)
    ] = 600 * SECOND_NS
    clock_step_max: Annotated[
        Duration,
        at_start("The machine's clock was set by more than this: ClockStep.", minimum=10 * MILLISECOND_NS),
    ] = 500 * MILLISECOND_NS
    chain_every: Annotated[
        Duration,
        at_start(
            "How often the whole chain of the journal is recomputed, beside the node: ChainBroken. Its end "
            "also at each start. 0 turns both off.",
            minimum=0,
        ),
    ] = 86_400 * SECOND_NS
    calm: Annotated[
        Duration,
        at_start(
            "Nothing of its kind for so long, and one of these alerts is over.",
            minimum=SECOND_NS,
        ),
    ] = 60 * SECOND_NS
    death_calm: Annotated[
        Duration,
        at_start("A node that has lived so long again is back: NodeDead is over.", minimum=SECOND_NS),
    ] = 300 * SECOND_NS


class SupervisorSection(Settings, frozen=True, kw_only=True):
    """Who is restarted with whom, how often, and what trading does when that is not enough."""

    parent: Annotated[str, at_start("The supervisor above; the root has none.", examples=("root",))] = ""
    strategy: Annotated[
        Literal["one_for_one", "one_for_all", "rest_for_one"],
        at_start(
            "Who is restarted when one child fails: the child, all children, or it and those started later."
        ),
    ] = "one_for_one"
    intensity: Annotated[int, at_start("Restarts allowed within the period.", minimum=0, maximum=10_000)] = 5
    period: Annotated[Duration, at_start("The time in which restarts are counted.", minimum=SECOND_NS)] = (
        60 * SECOND_NS
    )
    exhausted: Annotated[
        Literal["continue", "reduce_only", "cancel_all", "flatten", "stop"],
        at_start("What trading does once the restarts are used up."),
    ] = "reduce_only"
    backoff_min: Annotated[
        Duration, at_start("Wait before the first restart; doubles from one to the next.", minimum=0)
    ] = 50 * MILLISECOND_NS
    backoff_max: Annotated[Duration, at_start("Longest wait before a restart.", minimum=MILLISECOND_NS)] = (
        10 * SECOND_NS
    )


class ActorSection(Settings, frozen=True, kw_only=True):
    """What can be said about an actor of any kind, beside `for_each`, `reads` and `settings`."""

    kind: Annotated[
        str,
        setting("What it is: a name from the registry.", reload=Reload.FIXED, examples=("feed.synthetic",)),
    ]
    supervisor: Annotated[
        str, setting("Who restarts it; the root when nothing is said.", reload=Reload.LIVE)
    ] = ""
    restart: Annotated[
        Literal["permanent", "transient", "temporary"],
        setting("When it is brought back: always, after a failure only, or never.", reload=Reload.LIVE),
    ] = "permanent"
    mailbox_capacity: Annotated[
        int,
        setting(
            "Messages that may wait for it; 0 takes the loop's.",
            minimum=0,
            maximum=10_000_000,
            reload=Reload.LIVE,
        ),
    ] = 0
    stop_timeout: Annotated[
        Duration, setting("How long it may take to stop in order.", minimum=0, reload=Reload.LIVE)
    ] = 5 * SECOND_NS
