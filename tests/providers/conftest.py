"""What the providers' tests share: a sink that writes down, and answers of the chat wire as bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from headrace.core.chunk import Terminal


class Basin:
    """A sink that keeps everything and holds the source to its contract."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.terminals: list[Terminal] = []
        self.fed = asyncio.Event()
        self.ended = asyncio.Event()

    def push(self, batch: Sequence[Any], /) -> None:
        assert batch
        assert not self.terminals
        self.items += batch
        self.fed.set()

    def end(self, terminal: Terminal, /) -> None:
        assert not self.terminals
        self.terminals.append(terminal)
        self.ended.set()

    async def terminal(self) -> Any:
        """The terminal, within 10 s."""
        await asyncio.wait_for(self.ended.wait(), 10)
        return self.terminals[0]

    @property
    def text(self) -> str:
        """The answer's text so far."""
        return "".join(item.text for item in self.items)


def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """One chat.completion.chunk."""
    body = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


@pytest.fixture
def basin() -> type[Basin]:
    return Basin


@pytest.fixture
def hello() -> list[bytes]:
    """A whole answer, an event each."""
    return [
        event({"role": "assistant", "content": ""}),
        event({"content": "hel"}),
        event({"content": "lo"}),
        event({}, "stop"),
        b"data: [DONE]\n\n",
    ]
