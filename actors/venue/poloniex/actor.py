"""The actor behind `venue.poloniex`: one account, our messages on one side, bytes on the other."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.messages.scopes import CancelAll
from actors.messages.secrets import SecretsAdopted, SecretsOffered, SecretsRefused
from actors.messages.terms import SetLeverage
from actors.messages.venue import (
    CancelOrder,
    CancelRejected,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OutcomeUnknown,
    PlaceOrder,
    QueryAccount,
    QueryOrder,
    RequestKind,
    VenueAccount,
    VenueConnection,
    VenueOrder,
)
from actors.poloniex.line import LineDue, RateLimited
from actors.runtime.behaviour import Context
from actors.runtime.pumps.messages import HttpFailure, HttpResponse, SocketClosed, SocketFrame, SocketOpened
from actors.venue.poloniex.connection import VenueConnecting
from actors.venue.poloniex.state import ReadingDue, VenuePulse

__all__ = ["PoloniexVenue"]

MS = 1_000_000


class PoloniexVenue(VenueConnecting):
    """Our side of one account at Poloniex futures."""

    ACCEPTS: ClassVar = (
        PlaceOrder,
        CancelOrder,
        CancelAll,
        QueryOrder,
        QueryAccount,
        SetLeverage,
        RateLimited,
        SecretsOffered,
        HttpResponse,
        HttpFailure,
        SocketOpened,
        SocketFrame,
        SocketClosed,
        LineDue,
        ReadingDue,
        VenuePulse,
    )
    EMITS: ClassVar = (
        OrderAccepted,
        OrderRejected,
        OrderFilled,
        OrderCanceled,
        CancelRejected,
        OutcomeUnknown,
        FundingPaid,
        VenueOrder,
        VenueAccount,
        VenueConnection,
        RateLimited,
        SecretsAdopted,
        SecretsRefused,
    )

    is_started = False

    def started(self, context: Context) -> None:
        """What was under way when the process died may have happened; then connect."""
        state = self.state
        reason = "the process died before an answer came"
        for client_order_id in state.placing:
            self._lose(client_order_id, RequestKind.PLACE, reason, context)
        for client_order_id in state.canceling:
            self._lose(client_order_id, RequestKind.CANCEL, reason, context)
        if state.placing or state.canceling:
            state.placing, state.canceling = {}, {}
            context.save()
        self.open_line(context)
        self.connect(context)
        self.is_started = True

    def stopping(self, context: Context) -> None:
        """Leave the stream; orders stay as they are. That it closes now is no news to anybody."""
        self.close_streams(context)
        context.save()

    def on_line_due(self, message: LineDue, context: Context) -> None:
        """A request's turn may have come."""
        self.line.pump(context)

    def describe(self) -> Any:
        """Return what an operator sees; neither key nor signature is in it."""
        if not self.is_started:
            return {"account": self.account, "is_up": False}
        guard, session, line = self.guard, self.session, self.line
        return {
            "account": self.account,
            "is_up": self.is_up,
            "down_reason": self.down_reason,
            "key": self.credentials.shown if self.credentials else "missing",
            "stream": {
                "phase": session.phase.value,
                "losses": session.stats.losses,
                "last_loss": session.reason,
            },
            "clock": {"offset_ms": guard.offset_ns // MS, "doubt_ms": guard.doubt_ns // MS},
            "requests": {"waiting": line.waiting_count, "under_way": line.under_way_count},
            "placing": list(self.state.placing),
            "canceling": list(self.state.canceling),
            "paths": {
                name: {
                    "answered": stats.answered,
                    "refused": stats.refused,
                    "lost": stats.lost,
                    "not_sent": stats.expired,
                    "retried": stats.retried,
                    "elapsed_ms_mean": stats.elapsed_ns // max(1, stats.answered) // MS,
                    "elapsed_ms_max": stats.elapsed_ns_max // MS,
                }
                for name, stats in line.stats.items()
            },
        }

    def gauges(self) -> dict[str, int | float]:
        """Return what is worth a metric."""
        if not self.is_started:
            return {"is_up": 0}
        return {
            "is_up": int(self.is_up),
            "clock_offset_ms": self.guard.offset_ns // MS,
            "requests_waiting": self.line.waiting_count,
            "requests_under_way": self.line.under_way_count,
            "rate_limited": self.line.budget.refused_count(),
            "stream_losses": self.session.stats.losses,
            "stream_unknown_frames": self.session.stats.unknown_frames,
            "surprises": self.surprises_count,
            "fills_heard": self.fills_heard,
            "repeats": self.repeats_count,
            **self.line.gauges(),
        }
