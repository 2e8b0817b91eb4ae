"""Which differences count: those that are still there, not those that come and go."""

from actors.reconciler.compare import Difference, Kind
from actors.reconciler.round import Round
from tests.unit.reconciler.reconciler_bench import BTC, ETH


def _drift(key: str, ours: int, theirs: int = 0) -> Difference:
    return Difference(Kind.POSITION_WRONG, key, ours, theirs)


def test_one_look_proves_nothing() -> None:
    assert Round(5).look([_drift(BTC, 4)]) == ()


def test_the_same_difference_twice_counts() -> None:
    looks = Round(5)
    looks.look([_drift(BTC, 4)])
    assert looks.look([_drift(BTC, 4), _drift(ETH, 1)]) == (_drift(BTC, 4),)


def test_a_difference_of_the_same_amount_counts_while_both_sides_move() -> None:
    looks = Round(5)
    looks.look([_drift(BTC, 4, 1)])
    assert looks.look([_drift(BTC, 14, 11)]) == (_drift(BTC, 14, 11),)


def test_a_difference_that_vanished_in_between_starts_anew() -> None:
    looks = Round(5)
    looks.look([_drift(BTC, 4)])
    looks.look([])
    assert looks.look([_drift(BTC, 4)]) == ()


def test_a_difference_of_changing_amounts_counts_when_no_look_was_without_it() -> None:
    looks = Round(3)
    assert looks.look([_drift(BTC, 4)]) == ()
    assert looks.look([_drift(BTC, 5)]) == ()
    assert looks.look([_drift(BTC, 6), _drift(ETH, 1)]) == (_drift(BTC, 6),)
    assert looks.is_over


def test_a_difference_is_acted_upon_once_a_round() -> None:
    looks = Round(5)
    assert looks.first_time(_drift(BTC, 4))
    assert not looks.first_time(_drift(BTC, 5))
    assert looks.first_time(_drift(ETH, 4))
