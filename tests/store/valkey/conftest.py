"""Servers, and nodes of one installation on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.store.servers import Server, valkey_server
from tests.store.valkey.nodes import BEAT_S, prefixes

from headrace.store.log import Keeping
from headrace.store.valkey import ValkeyLog


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with valkey_server() as server:
        yield server


@pytest.fixture
def own() -> Iterator[Server]:
    """A server that the test may stop."""
    with valkey_server() as server:
        yield server


@pytest.fixture
def make(shared: Server) -> Callable[..., ValkeyLog]:
    """Nodes of one installation."""
    prefix = next(prefixes)

    def make(keeping: Keeping | None = None, **options: Any) -> ValkeyLog:
        return ValkeyLog(shared.url, keeping, prefix=prefix, **{"heartbeat_s": BEAT_S, **options})

    return make
