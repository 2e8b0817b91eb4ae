"""References, variables, and who gets to know a value."""

import pickle

import pytest

from actors.secrets.env import EnvironmentSource, variable_name
from actors.secrets.keeper import SecretKeeper
from actors.secrets.port import Secret, SecretError
from actors.secrets.reference import SecretReference, is_reference, parse_reference

KEY = "secret://polytrade/poloniex#key"
OTHER = "secret://polytrade/poloniex#secret"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (KEY, SecretReference("polytrade", "poloniex", "key")),
        ("secret://kv/a/b.c/d-e#k_1@12", SecretReference("kv", "a/b.c/d-e", "k_1", 12)),
        ("secret://kv#key", None),
        ("secret://kv/a#", None),
        ("secret://kv/a b#key", None),
        ("secret://kv/a#key@x", None),
        (KEY + "\n", None),
        ("plain", None),
    ],
)
def test_a_reference_has_one_form(text: str, found: SecretReference | None) -> None:
    assert parse_reference(text) == found
    if found is not None:
        assert str(found) == text
        assert is_reference(text)


def source(**variables: str) -> EnvironmentSource:
    return EnvironmentSource("PT_", {OTHER: "rehearsal"}, variables)


def reference(text: str) -> SecretReference:
    found = parse_reference(text)
    assert found is not None
    return found


def test_a_variable_is_named_after_its_reference() -> None:
    assert variable_name(reference("secret://kv/a/b.c-d#e"), "PT_") == "PT_KV_A_B_C_D_E"
    assert source(PT_POLYTRADE_POLONIEX_KEY="abc").fetch(reference(KEY)).value == "abc"


def test_a_default_holds_only_where_the_variable_is_not_set() -> None:
    assert source().fetch(reference(OTHER)).value == "rehearsal"
    assert source(PT_POLYTRADE_POLONIEX_SECRET="real").fetch(reference(OTHER)).value == "real"


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        (KEY, None, "PT_POLYTRADE_POLONIEX_KEY is not set"),
        (KEY, "", "PT_POLYTRADE_POLONIEX_KEY is empty"),
        (KEY, "abc\n", "spaces or control characters"),
        (KEY, " abc", "spaces or control characters"),
        (KEY + "@2", "abc", "keeps no versions"),
    ],
)
def test_what_cannot_be_had_is_told_without_the_value(text: str, value: str | None, reason: str) -> None:
    variables = {} if value is None else {"PT_POLYTRADE_POLONIEX_KEY": value}
    with pytest.raises(SecretError, match=reason) as caught:
        source(**variables).fetch(reference(text))
    assert caught.value.help
    assert "abc" not in str(caught.value) + caught.value.help


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2", 3)
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_an_actor_knows_the_values_of_its_own_references_only() -> None:
    keeper = SecretKeeper(source(PT_POLYTRADE_POLONIEX_KEY="abc"), {"venue/a": (KEY,), "venue/b": (OTHER,)})
    assert keeper.values_of("venue/a") == {}
    assert keeper.fetch() == []
    assert keeper.values_of("venue/a") == {KEY: "abc"}
    assert keeper.values_of("venue/b") == {OTHER: "rehearsal"}
    assert keeper.values_of("feed/x") == {}
    assert "abc" not in repr(keeper)


def test_every_missing_value_is_told_and_the_others_are_there() -> None:
    keeper = SecretKeeper(source(), {"venue/a": (KEY, OTHER)})
    assert [str(error.reference) for error in keeper.fetch()] == [KEY]
    assert keeper.values_of("venue/a") == {OTHER: "rehearsal"}
