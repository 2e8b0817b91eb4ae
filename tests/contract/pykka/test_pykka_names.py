"""Pins everything of pykka that is not its public API: a new release is met by a test and not by users."""

from __future__ import annotations

import ast
import inspect
import queue
from importlib.metadata import version
from pathlib import Path

import pykka
import pytest
from pykka import _envelope, _threading, messages
from pykka._envelope import Envelope

from actors.runtime import pykka_port

ROOT = Path(__file__).resolve().parents[3]


def test_pykka_is_of_the_line_that_the_port_is_written_for() -> None:
    major, minor, *_ = version("pykka").split(".")
    assert (int(major), int(minor)) >= (4, 5)
    assert int(major) == 4


def test_an_envelope_is_a_message_and_a_future_to_reply_to() -> None:
    envelope = Envelope("message", reply_to=None)
    assert (envelope.message, envelope.reply_to) == ("message", None)
    assert list(inspect.signature(Envelope.__init__).parameters) == ["self", "message", "reply_to"]
    assert _envelope.Envelope is Envelope


def test_a_request_to_stop_is_the_private_message_that_the_port_looks_for() -> None:
    assert pykka_port.is_stop(messages._ActorStop())
    assert not pykka_port.is_stop("stop")
    sent: list[object] = []

    def deliver(envelope: Envelope[object]) -> None:
        sent.append(envelope.message)
        assert envelope.reply_to is not None
        envelope.reply_to.set(None)

    assert pykka_port.CellActor(deliver).actor_ref.stop() is True
    assert [type(message) for message in sent] == [messages._ActorStop]


@pytest.mark.parametrize("hook", ["_create_actor_inbox", "_create_future", "_start_actor_loop"])
def test_the_extension_points_are_what_an_actor_must_define(hook: str) -> None:
    assert hook in pykka.Actor.__abstractmethods__
    assert hook in vars(pykka_port.CellActor)


def test_an_actor_is_made_with_urn_inbox_ref_and_stopped_flag() -> None:
    actor = pykka_port.CellActor(lambda envelope: None)
    assert actor.actor_urn.startswith("urn:uuid:")
    assert not actor.actor_stopped.is_set()
    assert actor.actor_ref.actor_stopped is actor.actor_stopped
    assert actor.actor_ref.actor_inbox is actor.actor_inbox
    assert actor.actor_ref.is_alive()


def test_a_future_takes_one_result_and_says_so_by_queue_full() -> None:
    future: pykka.ThreadingFuture[int] = pykka.ThreadingFuture()
    future.set(1)
    with pytest.raises(queue.Full):
        future.set(2)
    with pytest.raises(queue.Full):
        future.set_exception((ValueError, ValueError("late"), None))
    assert future.get(timeout=0) == 1


def test_a_future_without_a_result_times_out_at_once_when_asked_to() -> None:
    with pytest.raises(pykka.Timeout):
        pykka.ThreadingFuture[int]().get(timeout=0)


def test_the_registry_registers_unregisters_and_finds_by_urn() -> None:
    actor = pykka_port.CellActor(lambda envelope: None)
    assert pykka.ActorRegistry.get_by_urn(actor.actor_urn) is None
    pykka.ActorRegistry.register(actor.actor_ref)
    assert pykka.ActorRegistry.get_by_urn(actor.actor_urn) == actor.actor_ref
    pykka.ActorRegistry.unregister(actor.actor_ref)
    assert pykka.ActorRegistry.get_by_urn(actor.actor_urn) is None


def test_threading_actors_for_blocking_work_are_still_there() -> None:
    assert issubclass(_threading.ThreadingActor, pykka.Actor)
    assert pykka.ThreadingActor is _threading.ThreadingActor


def test_only_the_port_imports_pykka() -> None:
    importers = set()
    for path in (ROOT / "actors").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "pykka" for name in names):
                importers.add(path.relative_to(ROOT).as_posix())
    assert {path for path in importers if path.startswith("actors/runtime/")} == {
        "actors/runtime/pykka_port.py"
    }


def test_the_port_uses_no_private_name_that_is_not_pinned_here() -> None:
    source = Path(pykka_port.__file__).read_text(encoding="utf-8")
    private = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pykka")
        for alias in node.names
        if alias.name.startswith("_") or "._" in (node.module or "")
    }
    assert private == {"Envelope", "_ActorStop"}
