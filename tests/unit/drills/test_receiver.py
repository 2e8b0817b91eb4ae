"""The far side for webhooks says what it takes and refuses what is no message about alerts."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request

import pytest

from actors.drills.receiver import AlertReceiver


def post(port: int, body: bytes) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", data=body, method="POST")
    with urllib.request.urlopen(request, timeout=5.0) as answer:
        return int(answer.status)


def test_it_takes_messages_about_alerts_and_nothing_else() -> None:
    said: list[str] = []
    receiver = AlertReceiver(0, said.append)
    thread = threading.Thread(target=receiver.serve, daemon=True)
    thread.start()
    body = {"version": 1, "status": "firing", "alert": "FeedStale", "headline": "BTC is silent", "firing": []}
    assert post(receiver.port, json.dumps(body).encode()) == 200
    with pytest.raises(urllib.error.HTTPError, match="400"):
        post(receiver.port, b"junk")
    receiver.close()
    thread.join(5.0)
    assert said[0] == "firing FeedStale: BTC is silent"
    assert said[1].startswith("refused")
    with pytest.raises(urllib.error.URLError, match="refused"):
        post(receiver.port, b"{}")
