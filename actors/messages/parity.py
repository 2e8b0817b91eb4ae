"""The measurement of the gap between what happened and what the model says. Money is 1e-8 USDT."""

from __future__ import annotations

from actors.runtime.messages import Message

__all__ = ["PARITY_PORT", "MeasureParity", "ParityFailed", "ParityMeasured"]

PARITY_PORT = "parity"  # of the pump that measures, in a process of its own


class MeasureParity(Message, frozen=True):
    """Play the node's own tape through the model and split the gap in [from_ns, to_ns)."""

    request_id: str
    from_ns: int
    to_ns: int
    latency_ns: int  # each way, as the model believes
    taker_fee_e8: int  # of notional; -1 takes the contract's
    maker_fee_e8: int
    slippage_e8: int  # of the price
    queue: str
    timeout_ns: int


class ParityMeasured(Message, frozen=True):
    """The gap and its parts, which add up to it; positive is better than the model."""

    request_id: str
    from_ns: int
    to_ns: int
    actual_usdt: int
    model_usdt: int
    gap_usdt: int
    data_usdt: int
    latency_usdt: int
    queue_usdt: int
    slippage_usdt: int
    fees_usdt: int
    funding_usdt: int
    code_usdt: int
    orders_both: int
    orders_actual_only: int
    orders_model_only: int
    latency_ns_measured: int
    took_ns: int


class ParityFailed(Message, frozen=True):
    """It could not be measured; the reason is for people."""

    request_id: str
    reason: str
