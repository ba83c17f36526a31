"""A transport receiver for tests: it writes down what it is told and tells when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from headrace.core.chunk import Failure
from headrace.transport.http import Call


class Recorder:
    """Keeps everything, and asserts the contract: one head, then data, one end, nothing after it.

    headed, fed, ended: set at the head, at data, at the end. on_head, on_data: called then.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.parts: list[bytes] = []
        self.ends: list[Failure | None] = []
        self.call: Call | None = None
        self.on_head: Callable[[], None] | None = None
        self.on_data: Callable[[], None] | None = None
        self.headed = asyncio.Event()
        self.fed = asyncio.Event()
        self.ended = asyncio.Event()

    def head(self, status: int, headers: Mapping[str, str], /) -> None:
        assert not self.status
        assert not self.ends
        self.status, self.headers = status, headers
        self.headed.set()
        if self.on_head:
            self.on_head()

    def data(self, data: bytes, /) -> None:
        assert data
        assert self.status
        assert not self.ends
        self.parts.append(data)
        self.fed.set()
        if self.on_data:
            self.on_data()

    def done(self) -> None:
        self._end(None)

    def lost(self, failure: Failure, /) -> None:
        self._end(failure)

    def _end(self, failure: Failure | None) -> None:
        assert not self.ends
        self.ends.append(failure)
        self.ended.set()

    @property
    def body(self) -> bytes:
        """All data so far."""
        return b"".join(self.parts)

    @property
    def failure(self) -> Failure:
        """What `lost` was called with."""
        assert len(self.ends) == 1
        assert self.ends[0] is not None
        return self.ends[0]

    async def end(self) -> None:
        """Wait for the end, at most 10 s."""
        await asyncio.wait_for(self.ended.wait(), 10)


async def turns(count: int = 20) -> None:
    """Let whatever is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)
