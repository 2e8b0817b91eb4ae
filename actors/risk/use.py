"""How much of an account's limits is used. Pure; plain fields only: another thread reads it at scrape."""

from __future__ import annotations

from actors.domain.money import E8
from actors.messages.control import HaltLevel
from actors.risk.picture import Picture
from actors.risk.settings import RiskSettings
from actors.risk.state import RiskState

__all__ = ["gauges_of", "limits_used"]


def limits_used(settings: RiskSettings, picture: Picture, state: RiskState) -> dict[str, float]:
    """Return the used part of each limit that is set, by its setting; 1.0 is the limit, 0.0 is unused.

    A profit uses nothing of a limit on losses. Limits that need equity are left out while nobody knows it.
    """
    used: dict[str, tuple[float, float]] = {  # setting -> (measured, limit)
        "max_open_orders": (len(state.reserved), settings.max_open_orders),
        "max_open_trades": (picture.trades_count, settings.max_open_trades),
        "max_gross_usdt": (picture.exposure_usdt, settings.max_gross_usdt),
        "max_rejects_in_row": (state.rejects_in_row, settings.max_rejects_in_row),
        "max_loss_streak": (state.loss_streak, settings.max_loss_streak),
    }
    if picture.account_known:
        equity, peak = max(1, picture.equity_usdt), max(1, picture.peak_usdt)
        used |= {
            "daily_loss_usdt": (picture.loss_usdt, settings.daily_loss_usdt),
            "weekly_loss_usdt": (picture.week_loss_usdt, settings.weekly_loss_usdt),
            "max_drawdown": ((peak - picture.equity_usdt) / peak, settings.max_drawdown / E8),
            "max_leverage": (picture.exposure_usdt / equity, settings.max_leverage / E8),
            "max_margin_use": (picture.margin_usdt / equity, settings.max_margin_use / E8),
        }
    return {name: max(0.0, measured / limit) for name, (measured, limit) in used.items() if limit}


def gauges_of(picture: Picture, state: RiskState) -> dict[str, int | float]:
    """Return what is worth a metric beside the counts of the gate."""
    levels = [halt.level for halt in list(state.halts.values())]
    return {
        **{f"halts_count{{level={level.name.lower()}}}": levels.count(level) for level in HaltLevel},
        **{
            f"limit_used_fraction{{limit={name}}}": used
            for name, used in limits_used(picture.settings, picture, state).items()
        },
        "exposure_usdt": picture.exposure_usdt / E8,
        "feeds_stale_count": len(state.feeds_stale),
    }
