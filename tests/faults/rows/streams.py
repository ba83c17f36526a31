"""Streams with a life, and what may happen to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.faults.rig import Rig
from tests.faults.scenes import streams
from tests.faults.table import Cell, Row, in_every_phase


def _row(name: str, happens: str, seen: str, play: Callable[[Rig, Cell], Awaitable[None]]) -> Row:
    return Row(name, happens, seen, in_every_phase(play))


ROWS = (
    _row(
        "drop and resume",
        "the client drops (`detach`), and comes back with `Last-Event-ID`",
        "the bytes of both responses are those of the log: none is lost, none doubled",
        streams.drops_and_resumes,
    ),
    _row(
        "explicit stop",
        "`DELETE /v1/streams/{id}`",
        "the place's socket is closed; `cancelled`; 503, or an error event",
        streams.is_stopped,
    ),
    _row(
        "detach, then read",
        "the client leaves for good (`detach`), others ask later",
        "whole, the same bytes each time",
        streams.is_detached,
    ),
    _row(
        "second reader",
        "another client joins by the stream's id",
        "both have every byte",
        streams.second_reader,
    ),
    _row(
        "log fails",
        "the log cannot keep what comes",
        "the failure is told, 502 or an error event, and the place's socket is closed",
        streams.log_fails,
    ),
    _row(
        "server dies",
        "the process ends without a word; another opens its SQLite log",
        "what was acknowledged is there; code `interrupted`; 503, or an error event; retryable",
        streams.server_dies,
    ),
)
