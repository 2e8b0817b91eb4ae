"""The mail pump: a message in; a mail server's last word or a failure out, to the actor that asked.

It decides nothing and tries nothing twice. smtplib waits, so each mail has a thread of a small pool; whoever
asked hears at the deadline, even when the server drips one byte a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from actors.runtime.messages import Message
from actors.runtime.pumps.messages import MailAnswered, MailFailure, MailRequest
from actors.runtime.pumps.thread import PumpThread

if TYPE_CHECKING:
    import smtplib
    import ssl

__all__ = ["MailPump", "MailSession"]

THREADS_MAX = (
    4  # mails under way; they are few, and a server that hangs holds one thread at most till the deadline
)
IN_FLIGHT_MAX = 64  # under way or waiting for a thread; more are failed at once, nothing having left
TEXT_CHARS_MAX = 200  # of what a server says
NOT_ENCRYPTED = 454  # "TLS not available due to temporary reason", RFC 3207


class MailPump:
    """Takes MailRequest effects; delivers MailAnswered or MailFailure."""

    def __init__(self, thread: PumpThread, deliver: Callable[[str, Message], None]) -> None:
        self._thread = thread
        self._deliver = deliver
        self._workers = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="mail")
        self._in_flight = 0
        thread.on_stop(self._close)

    def put(self, message: Message, address: str) -> None:
        """See loop.Pump."""
        if not isinstance(message, MailRequest):
            raise TypeError(f"the mail pump takes MailRequest, not {type(message).__name__}")
        self._thread.post(lambda: self._perform(message, address))

    async def _perform(self, request: MailRequest, address: str) -> None:
        if self._in_flight >= IN_FLIGHT_MAX:
            self._deliver(address, MailFailure(request.request_id, False, "too many mails under way"))
            return
        self._in_flight += 1
        session = MailSession(request)
        try:
            async with asyncio.timeout(request.timeout_ns / 1e9):
                answer: MailAnswered | MailFailure = await asyncio.get_running_loop().run_in_executor(
                    self._workers, session.run
                )
        except TimeoutError:
            session.abandon()
            answer = MailFailure(request.request_id, session.bytes_left, "no answer in time")
        finally:
            self._in_flight -= 1
        self._deliver(address, answer)

    async def _close(self) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)


class MailSession:
    """One mail to one server. `run` waits for it; `abandon` ends it from another thread."""

    def __init__(self, request: MailRequest) -> None:
        self._request = request
        self._line: socket.socket | None = None
        self._abandoned = False
        self.bytes_left = False  # the text of the mail has begun to leave

    def run(self) -> MailAnswered | MailFailure:
        """Speak with the server till its last word."""
        import smtplib

        request = self._request
        try:
            return self._spoken()
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return MailAnswered(request.request_id, code, _text(text), request.recipients)
        except smtplib.SMTPResponseException as error:
            return MailAnswered(request.request_id, error.smtp_code, _text(error.smtp_error), ())
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return MailFailure(request.request_id, self.bytes_left, _reason(error, request))

    def abandon(self) -> None:
        """Have whatever waits on the connection fail."""
        self._abandoned = True
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _spoken(self) -> MailAnswered | MailFailure:
        import smtplib

        request, timeout_s = self._request, self._request.timeout_ns / 1e9
        if self._abandoned:
            return MailFailure(request.request_id, False, "no thread was free in time")
        if request.security == "tls":
            kind, more = self._known(smtplib.SMTP_SSL), {"context": self._certificates()}
        else:
            kind, more = self._known(smtplib.SMTP), {}
        with kind(request.host, request.port, timeout=timeout_s, **more) as server:
            if request.security == "starttls":
                server.ehlo_or_helo_if_needed()
                if not server.has_extn("starttls"):
                    text = "the server offers no encryption (STARTTLS)"
                    return MailAnswered(request.request_id, NOT_ENCRYPTED, text, ())
                server.starttls(context=self._certificates())
            if request.username:
                server.login(request.username, request.password)
            self.bytes_left = True
            refused = server.sendmail(request.sender, list(request.recipients), request.content)
            return MailAnswered(request.request_id, 250, "taken", tuple(refused))

    def _known(self, kind: type[smtplib.SMTP]) -> Any:
        """Return a kind of connection whose line `abandon` knows from the server's first word on."""
        session = self

        class Known(kind):  # type: ignore[misc, valid-type]
            def getreply(self) -> Any:
                session._line = self.sock
                return super().getreply()

        return Known

    def _certificates(self) -> ssl.SSLContext:
        import ssl

        return ssl.create_default_context(cafile=self._request.ca_file or None)


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:TEXT_CHARS_MAX]


def _reason(error: Exception, request: MailRequest) -> str:
    import smtplib
    import ssl

    place = f"{request.host}:{request.port}"
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
        return f"{place} offers no trusted encryption: {why}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return f"{place} closed the connection"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{place} does not do what is asked of it: {error}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, FileNotFoundError) and request.ca_file:
        return f"there is no file {request.ca_file} with certificates"
    if isinstance(error, socket.gaierror):
        return f"the name {request.host} cannot be resolved: no network, or no such host"
    if isinstance(error, OSError) and error.errno:
        return f"{place} cannot be connected: {os.strerror(error.errno)}"
    return f"{type(error).__name__} from {place}"
