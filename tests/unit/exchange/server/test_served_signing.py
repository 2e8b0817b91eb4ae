"""Signatures: vectors from the reference, the three accepted forms, and what is refused."""

import pytest

from actors.exchange.protocol.signing import is_signed, sign_text
from tests.unit.exchange.server.served_world import SECOND_NS, ServedWorld, sign

SECRET, STAMP = "s3cr3t-TEST-0123456789", "1700000000123"
ORDER = (
    b'{"symbol":"BTC_USDT_PERP","side":"BUY","mgnMode":"CROSS","posSide":"BOTH","type":"LIMIT","px":"60000",'
    b'"sz":"1"'
)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "signature"),
    [
        ("GET", "/v3/account/balance", "", b"", "K8veJtVq6uXVWR8ayTIj/CDjUlN7A076CQjKEFNIOa8="),
        (
            "GET",
            "/v3/trade/order/opens",
            "symbol=BTC_USDT_PERP&limit=100&direct=NEXT",
            b"",
            "a1BfcDw+cCLfCoQqQFAUwT4jxbSbzbmKXzh8xJrR280=",
        ),
        (
            "POST",
            "/v3/trade/order",
            "",
            ORDER + b',"timeInForce":"GTC"}',
            "0qYc0lFt7fQh7SuF9BYH2K6TNghsKk9bIA0Z2JWQuao=",
        ),
        ("POST", "/v3/trade/positionAll", "", b"", "cR6rJaMC3Scl4m8AIM3Vcy2PeQ9M7yfahY9AT+yBOM0="),
        (
            "POST",
            "/v3/trade/orders",
            "",
            b"[" + ORDER + b"}]",
            "IPxMrCQ5XhNbvrzePtyGKB3Ep5HVI5Fm4+lcODZC6DY=",
        ),
        (
            "DELETE",
            "/v3/trade/order",
            "",
            b'{"symbol":"BTC_USDT_PERP","ordId":"331378951169769472"}',
            "VbubdPFwTm9hSO1bOd+fxYOr0b9ljvzgv3XUFitLC7c=",
        ),
        ("DELETE", "/orders/123", "", b"", "jwj+iW6kkIJ/V+ow2n5Yl5XG9OLgUGXnq1NT0QRWYKA="),
        ("GET", "/orders", "symbol=ETH_USDT&limit=5", b"", "98auSobiA5Ph2B2JGD4qhVWqSMk8kcAKS0hIcZ5KAXU="),
    ],
)
def test_the_vectors_of_the_reference_are_accepted(method, path, query, body, signature) -> None:
    assert is_signed(SECRET, signature, method, path, query, body, STAMP)
    assert not is_signed(SECRET, signature, method, path + "x", query, body, STAMP)
    assert not is_signed(SECRET + "x", signature, method, path, query, body, STAMP)


def test_the_login_vector_is_accepted() -> None:
    text = f"GET\n/ws\nsignTimestamp={STAMP}"
    assert sign_text(SECRET, text) == "UTC88vjV0j5Lm7+qgVa1Ze/cNj1a+HI9WmJssuzFwr4="


@pytest.mark.parametrize(
    "signed", ["clOrdId=a%20b%2Fc*~()!'", "clOrdId=a%20b%2Fc%2A~%28%29%21%27", "clOrdId=a+b%2Fc%2A~()!%27"]
)
def test_three_ways_to_escape_a_value_are_accepted(signed) -> None:
    query = "clOrdId=a+b%2Fc%2A~()!%27"
    signature = sign(SECRET, f"GET\n/x\n{signed}&signTimestamp={STAMP}")
    assert is_signed(SECRET, signature, "GET", "/x", query, b"", STAMP)


def test_a_wrong_signature_an_unknown_key_and_an_old_request_are_refused_by_the_gateway() -> None:
    world = ServedWorld()
    path = "/v3/account/balance"
    assert world.send("GET", path, secret="guess")[:2] == (401, {"code": 401, "message": "Invalid signature"})
    assert world.send("GET", path, key="eve")[0] == 401
    assert world.raw("GET", path)[0] == 401
    old = world.now_ns // 1_000_000 - 60_001
    assert world.send("GET", path, stamp=old)[1]["code"] == 400
    assert world.send("GET", path, stamp=old + 2)[0] == 200
    early = world.now_ns // 1_000_000 + 60_001
    assert world.send("GET", path, stamp=early)[1]["code"] == 400
    assert world.send("GET", path, stamp="never")[1]["code"] == 400


def test_a_request_may_say_how_long_it_is_good_for() -> None:
    world = ServedWorld()
    stamp = world.now_ns // 1_000_000
    world.now_ns += 2 * SECOND_NS
    late = world.send("GET", "/v3/account/balance", stamp=stamp, headers=[("recvwindow", "1000")])
    assert late[1]["code"] == 408
    assert world.send("GET", "/v3/account/balance", stamp=stamp, headers=[("recvwindow", "3000")])[0] == 200
