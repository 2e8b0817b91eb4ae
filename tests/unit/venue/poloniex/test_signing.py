"""Known signatures, from the reference's own test key."""

from __future__ import annotations

import pytest

from actors.venue.poloniex.signing import sign, sign_login, string_to_sign

SECRET = b"s3cr3t-TEST-0123456789"
AT_MS = 1700000000123
PLACE = (
    '{"symbol":"BTC_USDT_PERP","side":"BUY","mgnMode":"CROSS","posSide":"BOTH","type":"LIMIT",'
    '"px":"60000","sz":"1","timeInForce":"GTC"}'
)
BATCH = (
    '[{"symbol":"BTC_USDT_PERP","side":"BUY","mgnMode":"CROSS","posSide":"BOTH","type":"LIMIT",'
    '"px":"60000","sz":"1"}]'
)
CANCEL = '{"symbol":"BTC_USDT_PERP","ordId":"331378951169769472"}'
OPENS = {"symbol": "BTC_USDT_PERP", "limit": "100", "direct": "NEXT"}
SPOT = {"symbol": "ETH_USDT", "limit": "5"}


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "signature"),
    [
        ("GET", "/v3/account/balance", None, None, "K8veJtVq6uXVWR8ayTIj/CDjUlN7A076CQjKEFNIOa8="),
        ("GET", "/v3/trade/order/opens", OPENS, None, "a1BfcDw+cCLfCoQqQFAUwT4jxbSbzbmKXzh8xJrR280="),
        ("POST", "/v3/trade/order", None, PLACE, "0qYc0lFt7fQh7SuF9BYH2K6TNghsKk9bIA0Z2JWQuao="),
        ("POST", "/v3/trade/positionAll", None, None, "cR6rJaMC3Scl4m8AIM3Vcy2PeQ9M7yfahY9AT+yBOM0="),
        ("POST", "/v3/trade/orders", None, BATCH, "IPxMrCQ5XhNbvrzePtyGKB3Ep5HVI5Fm4+lcODZC6DY="),
        ("DELETE", "/v3/trade/order", None, CANCEL, "VbubdPFwTm9hSO1bOd+fxYOr0b9ljvzgv3XUFitLC7c="),
        ("DELETE", "/orders/123", None, None, "jwj+iW6kkIJ/V+ow2n5Yl5XG9OLgUGXnq1NT0QRWYKA="),
        ("GET", "/orders", SPOT, None, "98auSobiA5Ph2B2JGD4qhVWqSMk8kcAKS0hIcZ5KAXU="),
    ],
)
def test_a_request_has_the_known_signature(method, path, query, body, signature):
    assert sign(SECRET, method, path, AT_MS, query, body) == signature


def test_a_login_has_the_known_signature():
    assert sign_login(SECRET, AT_MS) == "UTC88vjV0j5Lm7+qgVa1Ze/cNj1a+HI9WmJssuzFwr4="


def test_odd_characters_are_encoded_as_the_venues_own_client_does():
    query = {"clOrdId": "a b/c+d~e*f(g)!'"}
    text = string_to_sign("GET", "/v3/trade/order/details", AT_MS, query)
    assert text.endswith("clOrdId=a%20b%2Fc%2Bd~e*f(g)!'&signTimestamp=1700000000123")


def test_a_body_is_signed_as_it_is_sent():
    assert (
        string_to_sign("POST", "/p", 1, body='{"b":1, "a":2}')
        == 'POST\n/p\nrequestBody={"b":1, "a":2}&signTimestamp=1'
    )
