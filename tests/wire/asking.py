"""Clients' bodies for the conformance suite, written as data."""

from __future__ import annotations

import json
from typing import Any

from headrace.testing.conformance import ClientBody


def asked(body: Any, *, becomes: Any = None, **more: Any) -> ClientBody:
    """A client's body; becomes: what is built of it, where that is another."""
    return ClientBody(as_json(body), becomes=None if becomes is None else as_json(becomes), **more)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()
