"""What happens at the exchange: faults on its fault port, and the account used by somebody else."""

from __future__ import annotations

from typing import Any

from actors.drills import wire
from actors.drills.actions.guard import NOT_HERE, stage_to_disturb
from actors.drills.wire import DrillFailed

__all__ = ["set_leverage", "set_position_mode", "trade_by_hand", "venue_fault", "venue_well"]

Given = dict[str, Any] | None


def venue_fault(
    kind: str, fields: dict[str, Any] | None = None, configuration: Given = None
) -> dict[str, Any]:
    """Switch a fault of `polytrade exchange` on; docs/exchange.md lists kinds and fields."""
    stage = stage_to_disturb(configuration)
    _needs_exchange(stage.exchange)
    made = wire.request("POST", f"{stage.exchange}/__faults__", {"kind": kind, **(fields or {})})
    return {"kind": kind, "id": made.get("id", 0)} if isinstance(made, dict) else {"kind": kind}


def venue_well(configuration: Given = None) -> str:
    """Take all faults of the exchange back."""
    stage = stage_to_disturb(configuration)
    _needs_exchange(stage.exchange)
    wire.request("DELETE", f"{stage.exchange}/__faults__")
    return "no faults at the exchange"


def trade_by_hand(symbol: str, side: str = "BUY", contracts: int = 1, configuration: Given = None) -> str:
    """Trade at the market with the account's own key, as somebody at the venue's web page would."""
    stage = stage_to_disturb(configuration)
    body = {"symbol": symbol, "side": side, "type": "MARKET", "sz": str(contracts)}
    return str(wire.venue(stage, "POST", "/v3/trade/order", body=body)["ordId"])


def set_leverage(symbol: str, leverage: int, configuration: Given = None) -> str:
    """Set a symbol's leverage with the account's own key, as somebody at the venue's web page would."""
    stage = stage_to_disturb(configuration)
    body = {"symbol": symbol, "lever": str(leverage), "mgnMode": "CROSS"}
    wire.venue(stage, "POST", "/v3/position/leverage", body=body)
    return f"{symbol} at {leverage}"


def set_position_mode(mode: str = "ONE_WAY", within: float = 30.0, configuration: Given = None) -> str:
    """Set the account's mode, HEDGE or ONE_WAY, as somebody at the venue's web page would.

    The venue refuses while anything is open: it is tried until nothing is.
    """
    stage = stage_to_disturb(configuration)
    refused: list[str] = []

    def is_set() -> bool:
        try:
            wire.venue(stage, "POST", "/v3/position/mode", body={"posMode": mode})
        except DrillFailed as error:
            refused.append(str(error))
            return False
        return True

    wire.until(is_set, within, f"the account is in mode {mode}", lambda: refused[-1] if refused else "")
    return mode


def _needs_exchange(address: str) -> None:
    if not address:
        raise DrillFailed(f"{NOT_HERE}: it does not trade at a `polytrade exchange` on this machine")
