"""A request in a client's own protocol, as bytes: for clients that do what no official one does."""

from __future__ import annotations

from headrace.core.message import message
from headrace.core.request import Request, Tool
from headrace.wire import wire_named
from tests.faults.table import Cell
from tests.matrix.providers import PROVIDERS
from tests.matrix.said import Ask
from tests.server.raw import request


def tools_of(ask: Ask) -> list[Tool]:
    """The tools on offer."""
    return [Tool(one.name, one.description, dict(one.parameters)) for one in ask.tools]


def request_bytes(cell: Cell, model: str, ask: Ask, *headers: str) -> bytes:
    """A request to the server for a streamed answer."""
    asked = Request(model, (message("user", ask.text),), tools=tuple(tools_of(ask)))
    built = wire_named(cell.client).build(asked, {})
    return request("POST", PROVIDERS[cell.client].base + built.path, built.body, headers=headers)
