"""Messages are known by their names alone, on the wire and in the journal: no two may share one."""

import importlib
import pkgutil

import actors
from actors.runtime.codec import message_types


def test_no_two_message_types_share_a_name() -> None:
    for module in pkgutil.walk_packages(actors.__path__, "actors."):
        importlib.import_module(module.name)
    assert len(message_types()) > 100
