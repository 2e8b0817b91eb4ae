"""What must not be told is not told, and what is no secret is left alone."""

import pytest

from actors.alerter.redaction import redacted
from actors.runtime.messages import ActorFailed
from tests.unit.alerter.world import START, bench_of, raised

SECRETS = [
    ("the venue says token=abc123, code 3", "abc123"),
    ("{'api_key': 'xyz-9', 'a': 1}", "xyz-9"),
    ('{"secret": "s3cr3t", "a": 1}', "s3cr3t"),
    ("Authorization: Bearer abcdefgh.ijk-l", "abcdefgh"),
    ("header was bearer abcdefgh.ijk-l", "abcdefgh"),
    ("signature: 5d41402abc4b2a76", "5d41402abc4b2a76"),
    ("GET https://user:hunter22@alerts.example/x failed", "hunter22"),
    ("POST https://api.telegram.org/bot123456789:AAbbCCddEEffGGhhIIjj/sendMessage", "AAbbCC"),
    ("POST https://hooks.slack.com/services/T0/B0/XXXXXXXX", "XXXXXXXX"),
    ("hvs.CAESIAAAAAAAAAAAAAAAAAAAAAAAA was refused", "CAESI"),
    ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----", "MHcCAQ"),
    ("AKIAABCDEFGHIJKLMNOP may not", "AKIAABCD"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_what_looks_like_a_secret_is_blanked(text: str, secret: str) -> None:
    shown = redacted(text)
    assert secret not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        "BTC_USDT_PERP: nothing came for 9 s (age 9 s)",
        "secret://polytrade/poloniex#key is not given to us any more: denied",
        "no value for secret://polytrade/poloniex#key",
        "the token is wrong, and so is the password",
        "chain broken at 1760000000: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "main: 4,012.55 USDT at 12:30:01, limit 0.02, order main-1-000123",
        "http://127.0.0.1:18555/v2/enqueue cannot be connected",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert redacted(text) == text


def test_the_values_of_the_alerters_own_secrets_are_blanked_wherever_they_stand() -> None:
    bench = bench_of(secrets={"secret://polytrade/alerts#x": "correct horse battery"})
    bench.tell(raised(summary="it says: correct horse battery!"))
    bench.tell(ActorFailed("oms/main", "KeyError: 'correct horse battery'", "OrderFilled", 1, START))
    text = repr(bench.behaviour.state) + repr(bench.behaviour.describe()) + repr(bench.logs)
    assert "battery" not in text
    assert "it says: ***!" in text


def test_a_text_without_end_is_cut() -> None:
    bench = bench_of()
    bench.tell(raised(summary="x" * 100_000))
    [alert] = bench.behaviour.state.alerts.values()
    assert len(alert.summary) == 1_000
