"""Halts over HTTP: signed, fresh, once; and nothing but halts."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.control.halt_hook import AT, HOOK_PATH, NONCE, NONCES_MAX, SIGNATURE, HaltHook, signature_of
from actors.control.server import ControlServer
from actors.runtime.store_lmdb import Durability, LmdbStore
from tests.unit.control.house import Plan, make_node, running

TOKEN = "a token nobody guesses"
SECOND = 1_000_000_000
BODY = b'{"scope":"all","level":"flatten","reason":"drill"}'


class Clock:
    def __init__(self) -> None:
        self.at_s = 1_800_000_000

    def now_ns(self) -> int:
        return self.at_s * SECOND


def signed(at_s: int, nonce: str = "n0nce-00", body: bytes = BODY, token: str = TOKEN) -> dict[str, str]:
    at = str(at_s)
    return {AT: at, NONCE: nonce, SIGNATURE: signature_of(token, at, nonce, body)}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hook(clock: Clock) -> HaltHook:
    return HaltHook(lambda: TOKEN, clock.now_ns)


def test_a_signed_request_is_taken_once(hook: HaltHook, clock: Clock) -> None:
    headers = signed(clock.at_s)
    assert hook.refusal(headers, BODY) == ""
    assert hook.refusal(headers, BODY) == "the request was taken before"
    assert hook.refusal(signed(clock.at_s, "another0"), BODY) == ""


@pytest.mark.parametrize("away_s", [-61, 61, 3_600])
def test_a_request_of_another_time_is_refused(hook: HaltHook, clock: Clock, away_s: int) -> None:
    clock.at_s += 7_200
    assert hook.refusal(signed(clock.at_s + away_s), BODY) == "the request is not of now"


def test_a_request_from_before_the_start_is_refused_because_it_may_have_been_taken(clock: Clock) -> None:
    headers = signed(clock.at_s)
    clock.at_s += 1
    assert HaltHook(lambda: TOKEN, clock.now_ns).refusal(headers, BODY) == "the request is not of now"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda h: h | {SIGNATURE: ""},
        lambda h: h | {SIGNATURE: h[SIGNATURE][:-1] + "x"},
        lambda h: h | {NONCE: "other-nonce"},
        lambda h: h | {AT: str(int(h[AT]) + 1)},
        lambda h: {},
        lambda h: h | {SIGNATURE: "é"},
    ],
)
def test_anything_that_was_changed_is_refused(hook: HaltHook, clock: Clock, spoil: Any) -> None:
    assert hook.refusal(spoil(signed(clock.at_s)), BODY) == "the signature is not right"
    assert hook.refusal(signed(clock.at_s), BODY + b" ") == "the signature is not right"
    assert hook.refused_count == 2


def test_without_a_token_nothing_is_right(clock: Clock) -> None:
    hook = HaltHook(lambda: "", clock.now_ns)
    assert hook.refusal(signed(clock.at_s, token=""), BODY) == "the signature is not right"


def test_nonces_are_forgotten_only_when_their_time_is_over(hook: HaltHook, clock: Clock) -> None:
    for number in range(NONCES_MAX):
        assert hook.refusal(signed(clock.at_s, f"nonce{number:08}"), BODY) == ""
    assert hook.refusal(signed(clock.at_s, "one-more-0"), BODY) != ""
    clock.at_s += 121
    assert hook.refusal(signed(clock.at_s, "one-more-1"), BODY) == ""


# -- over a real socket --------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    plan = Plan(tmp_path / "journal", http_enabled=True)
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    with running(node):
        serving = ControlServer(node, plan, halt_token=lambda: TOKEN)
        serving.start()
        yield serving
    serving.stop()


def post(
    server: ControlServer, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    client = http.client.HTTPConnection(server.http_address.removeprefix("http://"))
    client.request("POST", path, body, headers)
    answer = client.getresponse()
    found: dict[str, Any] = json.loads(answer.read())
    client.close()
    return answer.status, found


def test_the_hook_halts_and_never_releases(server: ControlServer) -> None:
    now = int(time.time()) + 1
    status, found = post(server, HOOK_PATH, BODY, signed(now))
    assert status in (200, 404), found  # this house has no risk actor: 404 says that nobody takes a halt
    assert post(server, HOOK_PATH, BODY, signed(now))[0] == 401
    assert post(server, HOOK_PATH, BODY, {})[0] == 401
    for path in ("/v1/resume", "/v1/stop", "/v1/halt"):
        assert post(server, path, BODY, signed(now, "nonce-for-others"))[0] == 403


def test_without_a_token_in_the_file_there_is_no_such_path(tmp_path: Path) -> None:
    plan = Plan(tmp_path / "journal", http_enabled=True)
    node = make_node(LmdbStore(plan.journal_path, Durability.PROCESS))
    with running(node):
        serving = ControlServer(node, plan)
        serving.start()
        assert post(serving, HOOK_PATH, BODY, signed(int(time.time())))[0] == 403
    serving.stop()


def test_the_curl_line_of_the_page_is_taken(server: ControlServer) -> None:
    page = (Path(__file__).parents[3] / "docs" / "kill-switch.md").read_text(encoding="utf-8")
    script = page.partition("```sh\n")[2].partition("```")[0]
    assert "curl" in script
    script = script.replace("http://127.0.0.1:9080", server.http_address).replace("curl ", "curl -s ")
    time.sleep(1.0)  # the page's clock has whole seconds, and the server may have begun within this one
    done = subprocess.run(
        ["bash", "-c", f"TOKEN='{TOKEN}'\n{script}"], capture_output=True, text=True, timeout=20
    )
    assert "signature" not in done.stdout, done.stdout + done.stderr
    assert "answers" in done.stdout or "no actor of this deployment takes Halt" in done.stdout, done.stderr
