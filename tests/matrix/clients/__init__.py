"""Each official client, by the wire it speaks."""

from __future__ import annotations

from importlib import import_module

from tests.matrix.clients.base import Client
from tests.matrix.providers import WIRES

CLIENTS: dict[str, Client] = {wire: import_module(f"tests.matrix.clients.{wire}").CLIENT for wire in WIRES}
