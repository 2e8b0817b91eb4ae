"""What can be done to a deployment in a simulation: each kind of fault, in words.

The simulation does it, and the schema of tests names it. `for_ms`, `value` and `target` are a fault's own.
"""

from __future__ import annotations

from actors.runtime.wire_faults import LINE_KINDS

__all__ = ["EXCHANGE_KINDS", "FAULT_KINDS", "HAND_KINDS", "NODE_KINDS"]

NODE_KINDS = {
    "kill": "The node's process is killed between two turns, and is away for `for_ms`.",
    "kill_before_write": "It is killed at its `value`-th durable write from then on, before the write.",
    "kill_after_write": "The same, between the write and what follows from it.",
    "power_cut": "The machine is off for `for_ms`; what the disk had not synced is gone.",
    "crash_cell": "The actor `target` fails.",
    "halt": "An operator halts everything, and resumes after `for_ms`; the process dies `value` ms into it.",
    "disk_fail": "`value` writes fail.",
    "disk_full": "The disk is full for `for_ms`.",
    "disk_filling": "The journal uses 90.5% of the room it may, until `for_ms` is over and a person resumes.",
    "disk_slow": "Each write takes `value` ms.",
    "clock_step": "The node's clock is set ahead by `value` ms (negative: back), and back again in the end.",
    "clock_drift": "The node's clock gains `value` millionths.",
}
# As the exchange's fault port has them; `path`, `channel` and the like are set in `worldly`.
EXCHANGE_KINDS = {
    "venue_error": "The exchange answers HTTP 503.",
    "venue_storm": "The exchange answers 429.",
    "venue_maintenance": "It refuses everything that is signed.",
    "venue_key": "It does not know the key.",
    "venue_frozen": "Its index and mark prices stand still.",
    "venue_gap": "It leaves updates of books out.",
    "venue_mute": "It sends nothing on one channel, `target`.",
    "venue_skew": "Its clock is `value` ms ahead.",
    "venue_reject": "It accepts orders and cancels them at once.",
    "venue_paused": "It trades nothing.",
    "venue_lag": "Its lists of fills, ended orders and bills leave out what is younger than `value` ms.",
    "venue_sweep": "Somebody sells through everything that rests up to 3% below, again and again.",
}
# Somebody with the account's password, on the exchange's web page; or the exchange by itself.
HAND_KINDS = {
    "hand_trade": "Somebody buys (`value` below 0: sells) so many contracts by hand on our account.",
    "hand_close": "Somebody closes a position of ours by hand.",
    "hand_close_untold": "The same, and for `for_ms` neither stream nor lists tell of any fill.",
    "hand_cancel": "Somebody cancels our resting orders by hand.",
    "hand_order": "Somebody rests an order on our account by hand, for `for_ms`.",
    "hand_leverage": "Somebody sets the leverage of a symbol to `value`, for `for_ms`.",
    "hand_transfer": "Somebody moves `value` USDT into our account (below 0: out of it).",
    "odd_funding": "The exchange settles funding between the hours, and no stream tells.",
}
FAULT_KINDS = {**LINE_KINDS, **EXCHANGE_KINDS, **HAND_KINDS, **NODE_KINDS}
