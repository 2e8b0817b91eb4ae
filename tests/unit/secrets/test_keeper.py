"""The keeper: what is new waits beside what is in use, and nobody sees more than their own."""

from __future__ import annotations

import pytest

from actors.deployment.registry import KINDS
from actors.deployment.setting_types import fields_of
from actors.secrets.keeper import SecretKeeper
from actors.secrets.port import Secret, SecretError, Trouble
from actors.secrets.reference import SecretReference

KEY, OTHER = "secret://desk/poloniex#key", "secret://desk/other#key"


class Store:
    """Values that the test writes; what is missing is refused in the given way."""

    def __init__(self) -> None:
        self.values = {KEY: ("first", 1), OTHER: ("other", 1)}
        self.trouble = Trouble.ABSENT
        self.asked: list[str] = []

    def fetch(self, reference: SecretReference) -> Secret:
        self.asked.append(str(reference))
        if str(reference) not in self.values:
            raise SecretError(reference, "not there", "put it there", self.trouble)
        value, version = self.values[str(reference)]
        return Secret(value, version, 60)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def keeper(store: Store) -> SecretKeeper:
    found = SecretKeeper(store, {"venue/main": (KEY,), "venue/other": (OTHER,), "trend/BTC": ()})
    assert found.fetch() == []
    return found


def test_a_new_version_is_at_hand_by_its_number_and_used_once_taken(
    store: Store, keeper: SecretKeeper
) -> None:
    values = keeper.values_of("venue/main")
    store.values[KEY] = ("second", 2)
    seen, failed = keeper.look()
    assert [(one.reference, one.newest, one.held, one.lease_ns) for one in seen if one.reference == KEY] == [
        (KEY, 2, 1, 60)
    ]
    assert failed == ()
    assert (values[KEY], values[f"{KEY}@2"], values[f"{KEY}@1"]) == ("first", "second", "first")
    keeper.take([f"{KEY}@2"])
    assert (values[KEY], values.get(f"{KEY}@1")) == ("second", None)
    assert keeper.look()[0][1].held == 2


def test_nobody_reaches_anothers_value_by_any_spelling(store: Store, keeper: SecretKeeper) -> None:
    store.values[KEY] = ("second", 2)
    keeper.look()
    for address in ("venue/other", "trend/BTC", "nobody"):
        values = keeper.values_of(address)
        assert not {KEY, f"{KEY}@1", f"{KEY}@2"} & set(values)
        assert values.get(KEY) is values.get(f"{KEY}@2") is None
    assert repr(keeper.values_of("venue/main")) == "1 secrets"


def test_a_store_that_fails_leaves_what_is_in_use(store: Store, keeper: SecretKeeper) -> None:
    store.values.clear()
    seen, failed = keeper.look()
    assert (seen, {one.reference: one.trouble for one in failed}) == (
        (),
        {KEY: Trouble.ABSENT, OTHER: Trouble.ABSENT},
    )
    assert keeper.values_of("venue/main")[KEY] == "first"


def test_a_store_that_cannot_be_reached_is_asked_once_a_look(store: Store, keeper: SecretKeeper) -> None:
    store.values.clear()
    store.trouble = Trouble.UNREACHABLE
    store.asked.clear()
    assert len(keeper.look()[1]) == 2
    assert len(store.asked) == 1


def test_only_what_was_offered_can_be_taken(store: Store, keeper: SecretKeeper) -> None:
    keeper.take([f"{KEY}@2", "secret://desk/none#key@1"])
    assert keeper.values_of("venue/main")[KEY] == "first"


def test_no_strategy_has_a_setting_that_could_hold_a_reference() -> None:
    strategies = [kind for kind in KINDS.values() if kind.name.startswith("strategy.")]
    assert strategies
    for kind in strategies:
        assert not [name for name, one in fields_of(kind.settings_class).items() if one.is_secret], kind.name
