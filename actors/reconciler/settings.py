"""What an operator may write about a reconciler."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from actors.runtime.settings import E8, Duration, Settings, setting

__all__ = ["ReconcilerSettings"]

MS = 1_000_000
SECOND = 1_000 * MS


class ReconcilerSettings(Settings, frozen=True, kw_only=True):
    """How often one account is compared with the venue, how patiently, and what policy decides."""

    every: Annotated[
        Duration,
        setting("Pause between two comparisons that agree.", minimum=100 * MS, risk="raise"),
    ] = 60 * SECOND
    answer_timeout: Annotated[
        Duration,
        setting("How long the venue, the OMS and the ledger may take to answer.", minimum=10 * MS),
    ] = 5 * SECOND
    confirm_after: Annotated[
        Duration,
        setting(
            "Pause before a difference is looked at again: it counts only when it is still there.",
            minimum=MS,
        ),
    ] = 500 * MS
    passes_max: Annotated[
        int,
        setting("Looks at differences that come and go, before the round is decided.", minimum=2, maximum=20),
    ] = 5
    retry_min: Annotated[
        Duration,
        setting("First pause after a comparison failed or disagreed; doubled each time.", minimum=10 * MS),
    ] = 1 * SECOND
    retry_max: Annotated[
        Duration,
        setting("Longest pause after a comparison failed or disagreed.", minimum=100 * MS),
    ] = 30 * SECOND
    silences_max: Annotated[
        int,
        setting(
            "Rounds without an answer, one after the other, before the account counts as not reconciled.",
            minimum=1,
            maximum=100,
            risk="raise",
        ),
    ] = 3
    fills_overlap: Annotated[
        Duration,
        setting("How far before the last agreement the venue's fills are read again.", minimum=0),
    ] = 10 * SECOND
    fills_lookback: Annotated[
        Duration,
        setting("How far back the venue's fills are read when there was no agreement yet.", minimum=SECOND),
    ] = 3_600 * SECOND
    cash_drift_usdt_max: Annotated[
        E8,
        setting("Difference in cash that is tolerated.", minimum=0, risk="raise", examples=("0.01",)),
    ] = 0
    cash_drift: Annotated[
        Literal["report", "adopt", "adopt_first"],
        setting(
            "What a difference in cash means: `report` disagrees and pages, `adopt` has the ledger take the "
            "venue's number, on the record, `adopt_first` does so until both agree for the first time."
        ),
    ] = "report"
    unknown_orders: Annotated[
        Literal["report", "ignore", "cancel"],
        setting(
            "What becomes of orders that rest at the venue and are not ours: `report` disagrees and pages, "
            "`ignore` leaves them to whoever made them, `cancel` takes them away. Those that an earlier "
            "journal of this deployment made are taken away by `report` as well."
        ),
    ] = "report"
    believed_after: Annotated[
        Duration,
        setting(
            "How long a difference must have stood before anything but the venue's own reports is believed "
            "about it: lists of a venue lag behind each other, and what is too fresh is not absent.",
            minimum=SECOND,
        ),
    ] = 60 * SECOND
    phantom_positions: Annotated[
        Literal["adopt", "stop"],
        setting(
            "A position that is smaller at the venue than in our books, or none, with no fill that says why: "
            "`adopt` takes the venue's word, on the record; `stop` halts the symbol and pages."
        ),
    ] = "adopt"
    orphaned_positions: Annotated[
        Literal["stop", "adopt", "flatten"],
        setting(
            "A position that is larger at the venue than in our books, or the other way round, with no fill "
            "that says why: `stop` halts the symbol and pages; `adopt` takes the venue's word, on the "
            "record; `flatten` does so, and closes it at once."
        ),
    ] = "stop"
    manual_trades: Annotated[
        Literal["stop", "adopt", "flatten", "ignore"],
        setting(
            "What a trade means that no order of this deployment made, on the exchange's web page perhaps. "
            "The books take it in always, because it moved money. `stop` halts the symbol and pages; `adopt` "
            "goes on with the position there is; `flatten` closes the symbol's position and pages; `ignore` "
            "says nothing, and leaves symbols alone that the markets file does not have."
        ),
    ] = "stop"
    manual_told: Annotated[
        Duration,
        setting("How long a trade by hand is told at least; then until the books agree.", minimum=SECOND),
    ] = 60 * SECOND
    leverage: Annotated[
        dict[str, int],
        setting(
            "Leverage that each symbol shall have at the venue; one not named has the markets file's "
            "`leverage_default`, which risk and ledger count margin with.",
            examples=({"BTC_USDT_PERP": 10},),
        ),
    ] = msgspec.field(default_factory=dict)
    leverage_wrong: Annotated[
        Literal["stop", "set", "ignore"],
        setting(
            "What another leverage at the venue means: `stop` halts the symbol and pages; `set` has the "
            "venue set it, at the start and whenever it is found, and stops only if that does not help."
        ),
    ] = "stop"
    symbols: Annotated[
        tuple[str, ...],
        setting(
            "Symbols whose leverage is looked at before anybody trades them, each a request to the venue; "
            "those with an order or a position are looked at anyway.",
            examples=(("BTC_USDT_PERP",),),
        ),
    ] = ()
    terms_every: Annotated[
        Duration,
        setting(
            "How often leverage and position mode are looked at; at start always, and at once when a "
            "position shows another leverage.",
            minimum=SECOND,
        ),
    ] = 60 * SECOND
    ready_when: Annotated[
        Literal["agrees", "compared"],
        setting(
            "What lets the actors that decide start: the first comparison that `agrees`, or the first that "
            "has `compared` at all (risk denies new risk until one agrees, in both cases)."
        ),
    ] = "agrees"
