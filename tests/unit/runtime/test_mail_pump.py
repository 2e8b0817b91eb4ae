"""The mail pump answers each request once, by the deadline, and a bad server holds none of its threads."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.runtime.messages import Message
from actors.runtime.pumps.mail import IN_FLIGHT_MAX, THREADS_MAX, MailPump
from actors.runtime.pumps.messages import HttpRequest, MailAnswered, MailFailure, MailRequest
from actors.runtime.pumps.thread import PumpThread
from tests.contract.alerting.mail_server import PASSWORD, USER, MailServer

SECOND = 1_000_000_000
CONTENT = b"Subject: hello\r\n\r\n.a line that begins with a dot\r\n"


class Post:
    """A pump, a server, and what was answered."""

    def __init__(self, server: MailServer, thread: PumpThread) -> None:
        self.server = server
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.pump = MailPump(thread, lambda address, message: self.answers.put((address, message)))

    def send(self, number: str, timeout_ns: int = 5 * SECOND, **more: Any) -> None:
        fields: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "security": "starttls",
            "ca_file": str(self.server.certificate),
            "username": USER,
            "password": PASSWORD,
            "sender": "a@example.com",
            "recipients": ("b@example.com",),
            "content": CONTENT,
        }
        self.pump.put(MailRequest(number, timeout_ns=timeout_ns, **fields | more), "alerter")

    def answer(self) -> Message:
        address, message = self.answers.get(timeout=10)
        assert address == "alerter"
        return message  # type: ignore[no-any-return]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    thread = PumpThread("mail under test")
    with MailServer(tmp_path) as server:
        yield Post(server, thread)
    thread.stop()


def test_a_mail_that_is_taken_is_answered_with_250(post: Post) -> None:
    post.send("1")
    assert post.answer() == MailAnswered("1", 250, "taken", ())
    [(sender, to, mail)] = post.server.mails
    assert (sender, to, mail["Subject"]) == ("a@example.com", ["b@example.com"], "hello")
    assert mail.get_content().strip() == ".a line that begins with a dot"


def test_servers_that_drip_hold_no_thread_beyond_the_deadline(post: Post) -> None:
    post.server.drips = True
    for number in range(THREADS_MAX):
        post.send(str(number), SECOND // 5)
    for _ in range(THREADS_MAX):
        assert isinstance(post.answer(), MailFailure)
    post.server.drips = False
    post.send("good", SECOND)
    assert post.answer() == MailAnswered("good", 250, "taken", ())


def test_a_deadline_before_the_text_left_says_that_nothing_happened(post: Post) -> None:
    post.server.hangs_at = "EHLO"
    post.send("1", SECOND // 5)
    assert post.answer() == MailFailure("1", False, "no answer in time")
    post.server.hangs_at = "DATA"
    post.send("2", SECOND // 5)
    assert post.answer() == MailFailure("2", True, "no answer in time")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"port": 1}, "127.0.0.1:1 cannot be connected: Connection refused"),
        ({"ca_file": "/nowhere.pem"}, "there is no file /nowhere.pem with certificates"),
        ({"security": "tls"}, "offers no trusted encryption"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_in_words(post: Post, more: dict[str, Any], reason: str) -> None:
    post.send("1", **more)
    found = post.answer()
    assert isinstance(found, MailFailure)
    assert reason in found.reason
    assert not found.bytes_left
    assert PASSWORD not in found.reason


def test_too_many_mails_are_failed_at_once(post: Post) -> None:
    post.server.hangs_at = "EHLO"
    for number in range(IN_FLIGHT_MAX + 1):
        post.send(str(number), SECOND // 2)
    assert post.answer() == MailFailure(str(IN_FLIGHT_MAX), False, "too many mails under way")


def test_the_pump_takes_mails_only(post: Post) -> None:
    with pytest.raises(TypeError, match="takes MailRequest, not HttpRequest"):
        post.pump.put(HttpRequest("1", "GET", "http://x", (), b"", 1), "alerter")
