"""Looking after a node from the terminal: time, Ctrl-C once, twice, and what the heart tells."""

import signal
from collections import deque
from typing import Any

import pytest

from actors.cli import session as module
from actors.cli.exit_codes import ExitCode
from actors.cli.problems import Problem
from actors.cli.session import Session
from actors.cli.shows import PlainShow


class Heart:
    """Stands in for the heart: stops some steps after it was asked."""

    def __init__(self, steps_to_stop: int = 3, code: int = 0) -> None:
        self.exit_code: int | None = None
        self.events: deque[dict[str, Any]] = deque([{"event": "started", "pid": 41, "restarts": 0}])
        self.stopped = self.killed = 0
        self._left = steps_to_stop
        self._code = code

    def poll(self) -> list[dict[str, Any]]:
        found = list(self.events)
        self.events.clear()
        if self.stopped:
            self._left -= 1
            if self._left <= 0:
                self.exit_code = self._code
        return found

    def stop(self) -> None:
        self.stopped += 1

    def kill(self) -> None:
        self.killed += 1
        self.exit_code = self._code


class Client:
    """Stands in for the control socket."""

    def __init__(self, fails: int = 0) -> None:
        self.asked = 0
        self._fails = fails

    def get(self, path: str, timeout_s: float) -> Any:
        self.asked += 1
        if self.asked <= self._fails:
            raise Problem(ExitCode.NOT_RUNNING, "not yet")
        return {"n": self.asked}


class Show:
    """Remembers what it was shown; answers as told."""

    def __init__(self, wants_to_kill: bool = False) -> None:
        self.views: list[Any] = []
        self.said: list[str] = []
        self.asked = 0
        self._wants = wants_to_kill

    def view(self, view: Any) -> None:
        self.views.append(view)

    def say(self, text: str) -> None:
        self.said.append(text)

    def ask_whether_to_kill(self, waited_s: float, patience_s: float) -> bool:
        self.asked += 1
        return self._wants


@pytest.fixture(autouse=True)
def steps(monkeypatch) -> list[Any]:
    """Let time pass only by steps; a test may hang a signal on one of them."""
    clock = {"now": 100.0, "step": 0}
    plan: list[Any] = []

    def sleep(seconds: float) -> None:
        clock["now"] += seconds
        clock["step"] += 1
        for at, number in plan:
            if at == clock["step"]:
                signal.raise_signal(number)

    monkeypatch.setattr(module.time, "sleep", sleep)
    monkeypatch.setattr(module.time, "monotonic", lambda: clock["now"])
    return plan


def run(heart: Heart, show: Show, for_s: float | None = None, client: Client | None = None) -> Session:
    session = Session(heart, client or Client(), show, for_s, 30.0)  # type: ignore[arg-type]
    session.code = session.run()  # type: ignore[attr-defined]
    return session


def test_the_node_is_stopped_when_its_time_is_over() -> None:
    heart, show = Heart(code=0), Show()
    session = run(heart, show, for_s=2.0)
    assert (heart.stopped, heart.killed, session.was_killed) == (1, 0, False)
    assert session.code == 0
    assert session.node_pids == [41]
    assert 2 <= len(show.views) <= 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_in_order(steps, number) -> None:
    steps.append((5, number))
    heart, show = Heart(), Show()
    run(heart, show)
    assert (heart.stopped, heart.killed) == (1, 0)
    assert show.said == ["stopping in order, within 30 s"]


def test_a_second_ctrl_c_asks_and_may_wait(steps) -> None:
    steps += [(5, signal.SIGINT), (8, signal.SIGINT)]
    heart, show = Heart(steps_to_stop=10), Show(wants_to_kill=False)
    session = run(heart, show)
    assert (show.asked, heart.killed, session.was_killed) == (1, 0, False)


def test_a_second_ctrl_c_may_kill(steps) -> None:
    steps += [(5, signal.SIGINT), (8, signal.SIGINT)]
    heart, show = Heart(steps_to_stop=1000), Show(wants_to_kill=True)
    session = run(heart, show)
    assert (heart.killed, session.was_killed) == (1, True)


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    run(Heart(), Show(), for_s=0.1)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_node_that_does_not_answer_yet_is_asked_again_soon() -> None:
    client = Client(fails=5)
    run(Heart(), show := Show(), for_s=1.0, client=client)
    assert client.asked >= 6
    assert show.views[0] == {"n": 6}


def test_what_the_heart_tells_is_passed_on() -> None:
    heart, show = Heart(), Show()
    heart.events += [
        {"event": "died", "pid": 41, "code": -9},
        {"event": "started", "pid": 42, "restarts": 1},
        {"event": "killed", "pid": 42, "reason": "no progress for 10 s"},
    ]
    session = run(heart, show, for_s=0.5)
    assert show.said[:3] == [
        "the node died with code -9",
        "the node runs again (restart 1 by its heart)",
        "the node was killed: no progress for 10 s",
    ]
    assert session.node_pids == [41, 42]


def test_a_node_that_ends_by_itself_ends_the_session() -> None:
    heart = Heart()
    heart.exit_code = 6
    assert run(heart, Show()).code == 6


def test_a_view_that_cannot_be_shown_does_not_stop_the_node() -> None:
    show = Show()
    show.view = lambda view: {}["missing"]  # type: ignore[method-assign,assignment]
    heart = Heart()
    session = run(heart, show, for_s=5.0)
    assert heart.stopped == 1
    assert session.display_faults == {"the view cannot be shown: KeyError: 'missing'"}


def test_without_a_terminal_the_second_ctrl_c_explains_and_the_third_kills(capsys) -> None:
    show = PlainShow()
    assert show.ask_whether_to_kill(1, 30) is False
    assert "press Ctrl-C again" in capsys.readouterr().err
    assert show.ask_whether_to_kill(2, 30) is True
