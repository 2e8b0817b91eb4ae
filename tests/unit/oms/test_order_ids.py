"""Names of orders and ranks of intents."""

import re
from itertools import product

import pytest

from actors.oms.ids import EPOCH_MAX, SEQUENCE_MAX, account_mark, client_order_id, id_prefix, intent_rank

JOURNAL = "btlevkria"


def test_an_order_id_is_short_and_plain_even_at_its_longest() -> None:
    longest = client_order_id("a deployment with a long name", "main", JOURNAL, EPOCH_MAX, SEQUENCE_MAX)
    assert len(longest) == 36
    assert re.fullmatch(r"[a-z0-9-]{1,36}", longest)


def test_an_order_id_is_always_the_same_for_the_same_order() -> None:
    assert client_order_id("paper", "main", JOURNAL, 3, 4711) == client_order_id(
        "paper", "main", JOURNAL, 3, 4711
    )
    assert client_order_id("paper", "main", JOURNAL, 3, 4711).startswith(
        id_prefix("paper", "main", JOURNAL, 3)
    )


def test_orders_of_a_journal_without_identity_keep_their_form() -> None:
    assert client_order_id("paper", "main", "", 3, 4711) == f"{account_mark('paper', 'main')}-3-4711"


def test_order_ids_of_different_orders_never_meet() -> None:
    deployments, accounts = ("paper", "live", "live-1", "a/b"), ("main", "1", "b", "hedge")
    journals = ("", JOURNAL, "btlevkrib")
    epochs, sequences = (0, 1, 11, 111), (1, 11, 111, 1_111)
    ids = {client_order_id(*which) for which in product(deployments, accounts, journals, epochs, sequences)}
    assert len(ids) == len(deployments) * len(accounts) * len(journals) * len(epochs) * len(sequences)


def test_marks_of_thousands_of_accounts_do_not_collide() -> None:
    marks = {account_mark(f"deployment-{n % 7}", f"account-{n}") for n in range(5_000)}
    assert len(marks) == 5_000


def test_a_slash_in_a_name_does_not_make_two_accounts_one() -> None:
    assert account_mark("a/b", "c") != account_mark("a", "b/c")


@pytest.mark.parametrize(("epoch", "sequence"), [(-1, 1), (EPOCH_MAX + 1, 1), (1, -1), (1, SEQUENCE_MAX + 1)])
def test_a_number_that_does_not_fit_is_refused(epoch: int, sequence: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        client_order_id("paper", "main", JOURNAL, epoch, sequence)


@pytest.mark.parametrize(
    ("intent_id", "rank"),
    [
        ("trend/BTC_USDT_PERP#12.345", ("trend/BTC_USDT_PERP", 12, 345)),
        ("odd#name#1.2", ("odd#name", 1, 2)),
        ("no-mark", ("", 0, 0)),
        ("trend#1", ("", 0, 0)),
        ("trend#1.", ("", 0, 0)),
        ("trend#1.2.3", ("", 0, 0)),
        ("trend#x.2", ("", 0, 0)),
        ("trend#-1.2", ("", 0, 0)),
        ("", ("", 0, 0)),
    ],
)
def test_an_intent_id_is_ranked_only_when_its_form_is_known(
    intent_id: str, rank: tuple[str, int, int]
) -> None:
    assert intent_rank(intent_id) == rank
