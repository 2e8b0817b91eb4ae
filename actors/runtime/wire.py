"""Simulated pumps: bytes between a node's cells and a far side, on the virtual clock, over a line that fails.

The node sees the very messages of the real pumps. The far side is pure: it is given requests and frames with
the time, and is asked what it wants to send. Requests overtake each other as they may; the frames of one
socket stay in order unless a fault says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from actors.runtime.messages import Message
from actors.runtime.pumps.messages import (
    HttpFailure,
    HttpRequest,
    HttpResponse,
    MailAnswered,
    MailFailure,
    MailRequest,
    SocketClose,
    SocketClosed,
    SocketFrame,
    SocketOpen,
    SocketOpened,
    SocketSend,
)
from actors.runtime.wire_faults import LineFaults

__all__ = ["FarEnd", "FarFrame", "FarReply", "FarSide", "Wire", "World"]

NO_CLOSE_FRAME = 1006
LATENCY_NS = 5_000_000


class FarReply(NamedTuple):
    """What a far side answers. `cut_at` bytes of the body come before the line is cut; -1 for all of it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    delay_ns: int = 0
    cut_at: int = -1


class FarFrame(NamedTuple):
    """A text frame for some of the far side's sockets."""

    numbers: tuple[int, ...]
    text: str
    delay_ns: int = 0


class FarEnd(NamedTuple):
    """The far side ends a connection."""

    number: int


class FarSide(Protocol):
    """What answers behind the line."""

    def request(self, request: HttpRequest, now_ns: int) -> FarReply:
        """Do what a request says."""
        ...

    def opened(self, number: int, path: str, now_ns: int) -> None:
        """A socket was opened."""
        ...

    def frame(self, number: int, text: str, now_ns: int) -> None:
        """A frame came in."""
        ...

    def closed(self, number: int) -> None:
        """A socket is gone."""
        ...

    def take_out(self) -> list[FarFrame | FarEnd]:
        """Return and forget what is to be sent."""
        ...


class World(Protocol):
    """Where the line lies."""

    @property
    def now_ns(self) -> int:
        """The world's instant."""
        ...

    def after(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Do something later, whatever becomes of the node."""
        ...

    def deliver(self, address: str, message: Message) -> None:
        """Bring a pump's message to the node that lives now."""
        ...


class _Connection:
    """One socket: our name of it, theirs, and when the last frame of each direction arrives."""

    __slots__ = ("address", "arrives_ns", "far", "is_open", "number", "socket_id")

    def __init__(self, address: str, socket_id: str, number: int, far: FarSide) -> None:
        self.address = address
        self.socket_id = socket_id
        self.number = number
        self.far = far
        self.is_open = False
        self.arrives_ns = [0, 0]  # there, back


class Wire:
    """Both pumps of one node after another; `ports` is what the node is given."""

    def __init__(self, far_sides: Mapping[str, FarSide], default: FarSide, seed: int) -> None:
        self._far_sides = far_sides  # by host and port
        self._default = default
        self._chance = Random(f"wire/{seed}")
        self.faults = LineFaults(seed)
        self.world: World
        self.life = 0  # of the node: what was meant for an earlier one gets lost
        self.on_leave: list[Callable[[str, HttpRequest], None]] = []  # told when bytes of a request leave
        self.carried = 0
        self._numbers = 0
        self._connections: dict[tuple[str, str], _Connection] = {}
        self._by_number: dict[int, _Connection] = {}
        takers = {"http": self._http, "socket": self._socket, "mail": self._mail}
        self.ports: dict[str, Any] = {name: _Port(take) for name, take in takers.items()}

    # -- the node's side -----------------------------------------------------------------------------

    def node_died(self) -> None:
        """The node is gone with all its connections."""
        self.life += 1
        for connection in list(self._by_number.values()):
            self._end(connection)

    def cut(self) -> None:
        """Every connection breaks at once."""
        for connection in list(self._by_number.values()):
            self._break(connection, NO_CLOSE_FRAME, "connection reset")

    def deliver(self, address: str, message: Message, delay_ns: int) -> None:
        """Bring a message to a cell of the node that lives now; a later one does not get it."""
        life = self.life

        def arrive() -> None:
            if life == self.life:
                self.carried += 1
                self.world.deliver(address, message)

        self.world.after(delay_ns, arrive)

    def _latency(self) -> int:
        return LATENCY_NS + self._chance.randrange(LATENCY_NS)

    # -- requests ------------------------------------------------------------------------------------

    def _http(self, message: Message, address: str) -> None:
        if not isinstance(message, HttpRequest):
            raise TypeError(f"the HTTP pump takes HttpRequest, not {type(message).__name__}")
        faults, now_ns = self.faults, self.world.now_ns
        if faults.strikes("refuse", now_ns):
            self.deliver(address, HttpFailure(message.request_id, False, "connection refused"), LATENCY_NS)
            return
        for tell in self.on_leave:
            tell(address, message)
        answered: list[bool] = []

        def answer(found: Message, delay_ns: int) -> None:
            """One answer a request; after its time-out there is none but that."""
            if not answered:
                answered.append(True)
                self.deliver(address, found, delay_ns)

        deadline = now_ns + message.timeout_ns
        failure = HttpFailure(message.request_id, True, "no answer in time")
        life = self.life
        self.world.after(message.timeout_ns, lambda: answer(failure, 0) if life == self.life else None)
        lost = faults.strikes("half_open", now_ns) or faults.strikes("drop", now_ns)
        if not lost:
            there = self._latency() + faults.delay_ns("delay", now_ns)
            copies = 2 if faults.strikes("duplicate", now_ns) else 1
            for copy in range(copies):
                act = self._acting(message, address, answer, deadline)
                self.world.after(there * (copy + 1), act)

    def _acting(
        self, request: HttpRequest, address: str, answer: Callable[[Message, int], None], deadline: int
    ) -> Callable[[], None]:
        life = self.life

        def act() -> None:
            far, began = self._far(request.url), self.world.now_ns
            reply = far.request(request, began)
            self.flush(far)
            if life != self.life:
                return
            now_ns, faults = self.world.now_ns, self.faults
            if faults.strikes("lose_answer", now_ns) or faults.strikes("half_open", now_ns):
                return
            back = reply.delay_ns + self._latency() + faults.delay_ns("delay", now_ns)
            if now_ns + back >= deadline:
                return
            if reply.cut_at >= 0 or faults.strikes("partial_body", now_ns):
                found: Message = HttpFailure(request.request_id, True, "the body ended early")
            else:
                elapsed = back + self.world.now_ns - began
                found = HttpResponse(request.request_id, reply.status, reply.headers, reply.body, elapsed)
            answer(found, back)

        return act

    def _far(self, url: str) -> FarSide:
        return self._far_sides.get(urlsplit(url).netloc, self._default)

    # -- mail ----------------------------------------------------------------------------------------

    def _mail(self, message: Message, address: str) -> None:
        """Every mail server takes every mail, when it can be reached."""
        if not isinstance(message, MailRequest):
            raise TypeError(f"the mail pump takes MailRequest, not {type(message).__name__}")
        faults, now_ns, number = self.faults, self.world.now_ns, message.request_id
        if faults.strikes("refuse", now_ns):
            self.deliver(address, MailFailure(number, False, "connection refused"), LATENCY_NS)
        elif faults.strikes("half_open", now_ns) or faults.strikes("lose_answer", now_ns):
            self.deliver(address, MailFailure(number, True, "no answer in time"), message.timeout_ns)
        else:
            self.deliver(address, MailAnswered(number, 250, "taken", ()), self._latency() * 2)

    # -- sockets -------------------------------------------------------------------------------------

    def _socket(self, message: Message, address: str) -> None:
        if isinstance(message, SocketOpen):
            self._open(message, address)
        elif isinstance(message, SocketSend):
            connection = self._connections.get((address, message.socket_id))
            if connection is not None and connection.is_open:
                self._send(connection, message.text)
        elif isinstance(message, SocketClose):
            connection = self._connections.get((address, message.socket_id))
            if connection is not None:
                self._break(connection, 1000, "closed")
        else:
            raise TypeError(f"the socket pump does not take {type(message).__name__}")

    def _open(self, message: SocketOpen, address: str) -> None:
        now_ns, url = self.world.now_ns, urlsplit(message.url)
        if self.faults.strikes("half_open", now_ns):
            closed = SocketClosed(message.socket_id, NO_CLOSE_FRAME, "no answer in time")
            self.deliver(address, closed, message.timeout_ns)
            return
        if self.faults.strikes("refuse", now_ns):
            closed = SocketClosed(message.socket_id, NO_CLOSE_FRAME, "connection refused")
            self.deliver(address, closed, LATENCY_NS)
            return
        self._numbers += 1
        connection = _Connection(address, message.socket_id, self._numbers, self._far(message.url))
        self._connections[address, message.socket_id] = connection
        self._by_number[connection.number] = connection

        def arrive() -> None:
            if connection.number in self._by_number:
                connection.is_open = True
                connection.far.opened(connection.number, url.path, self.world.now_ns)
                self.deliver(address, SocketOpened(message.socket_id), 0)
                self.flush(connection.far)

        self.world.after(self._latency(), arrive)

    def _send(self, connection: _Connection, text: str) -> None:
        if self.faults.strikes("half_open", self.world.now_ns):
            return
        at_ns = self._arrival(connection, 0, 0)

        def arrive() -> None:
            if connection.number in self._by_number:
                connection.far.frame(connection.number, text, self.world.now_ns)
                self.flush(connection.far)

        self.world.after(at_ns - self.world.now_ns, arrive)

    def _arrival(self, connection: _Connection, way: int, delay_ns: int) -> int:
        now_ns = self.world.now_ns
        delay_ns += self._latency() + self.faults.delay_ns("delay", now_ns)
        at_ns = max(connection.arrives_ns[way], now_ns + delay_ns)
        connection.arrives_ns[way] = at_ns
        return at_ns

    def flush(self, far: FarSide) -> None:
        """Carry what the far side wants to send; call it after everything that may have made it speak."""
        for item in far.take_out():
            if isinstance(item, FarEnd):
                connection = self._by_number.get(item.number)
                if connection is not None:
                    self._break(connection, NO_CLOSE_FRAME, "closed by the far side")
                continue
            for number in item.numbers:
                connection = self._by_number.get(number)
                if connection is not None:
                    self._receive(connection, item)

    def _receive(self, connection: _Connection, frame: FarFrame) -> None:
        now_ns, faults = self.world.now_ns, self.faults
        strikes = faults.strikes
        if strikes("half_open", now_ns) or strikes("mute", now_ns) or strikes("drop_frame", now_ns):
            return
        for _ in range(2 if faults.strikes("duplicate_frame", now_ns) else 1):
            if faults.strikes("reorder_frame", now_ns):
                at_ns = now_ns + self._latency() + faults.delay_ns("reorder_frame", now_ns)
            else:
                at_ns = self._arrival(connection, 1, frame.delay_ns)
            self._frame_later(connection, frame.text, at_ns)

    def _frame_later(self, connection: _Connection, text: str, at_ns: int) -> None:
        def arrive() -> None:
            if connection.number in self._by_number:
                self.carried += 1
                data = SocketFrame(connection.socket_id, text.encode(), self.world.now_ns)
                self.world.deliver(connection.address, data)

        self.world.after(at_ns - self.world.now_ns, arrive)

    def _break(self, connection: _Connection, code: int, reason: str) -> None:
        self._end(connection)
        self.deliver(connection.address, SocketClosed(connection.socket_id, code, reason), LATENCY_NS)

    def _end(self, connection: _Connection) -> None:
        self._by_number.pop(connection.number, None)
        self._connections.pop((connection.address, connection.socket_id), None)
        if connection.is_open:
            connection.far.closed(connection.number)


class _Port:
    """One of the node's ports."""

    def __init__(self, take: Callable[[Message, str], None]) -> None:
        self.put = take
