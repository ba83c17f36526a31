"""What a headrace server says about itself."""

from __future__ import annotations

import http.client
import json
from typing import Any


def fetched(port: int, method: str, path: str, body: str | None = None, key: str = "") -> tuple[int, bytes]:
    """Status and body of one small request to a loopback server. key: its API key, where it wants one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        asks = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        connection.request(method, path, body, asks)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def health(port: int, key: str = "") -> dict[str, Any]:
    """`GET /health` as data. Raises RuntimeError where it is not 200."""
    status, body = fetched(port, "GET", "/health", key=key)
    if status != 200:
        raise RuntimeError(f"/health answered {status}: {body[:200]!r}")
    found: dict[str, Any] = json.loads(body)
    return found
