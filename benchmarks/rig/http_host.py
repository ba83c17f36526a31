"""One HTTP client in a process of its own: `python -m benchmarks.rig.http_host WHO PORT MODEL STREAMS TASK`.

TASK cpu: one stream to warm up, then `STREAMS` at once; prints their CPU seconds. TASK memory: `STREAMS` that
have begun and wait; prints the bytes of memory that they added. Only body bytes are read: no events, no JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.rig.process import allow_open_files, rss_bytes

HEADERS = {"content-type": "application/json", "authorization": "Bearer none"}
Began = Callable[[], None]
# (url, body, called at the first bytes) -> bytes read
Reader = Callable[[str, bytes, Began], Awaitable[int]]


class Counter:
    """A receiver that only counts."""

    __slots__ = ("_began", "_future", "size")

    def __init__(self, future: asyncio.Future[None], began: Began) -> None:
        self._future = future
        self._began: Began | None = began
        self.size = 0

    def head(self, status: int, headers: Mapping[str, str], /) -> None:
        if status != 200:
            self._future.set_exception(RuntimeError(f"status {status}"))

    def data(self, data: bytes, /) -> None:
        self.size += len(data)
        if self._began is not None:
            self._began()
            self._began = None

    def done(self) -> None:
        self._future.set_result(None)

    def lost(self, failure: Any, /) -> None:
        self._future.set_exception(failure.error())


@asynccontextmanager
async def headrace_reader() -> AsyncIterator[Reader]:
    """Ours: called back at each read."""
    from headrace.transport.http import HttpRequest
    from headrace.transport.pool import HttpPool

    async with HttpPool() as pool:

        async def read(url: str, body: bytes, began: Began) -> int:
            counter = Counter(asyncio.get_running_loop().create_future(), began)
            call = pool.send(HttpRequest("POST", url, HEADERS, body), counter)
            try:
                await counter._future
            finally:
                call.cancel()
            return counter.size

        yield read


@asynccontextmanager
async def aiohttp_reader() -> AsyncIterator[Reader]:
    """aiohttp, whatever has come at each turn (`iter_any`)."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def read(url: str, body: bytes, began: Began) -> int:
            size = 0
            async with session.post(url, data=body, headers=HEADERS) as response:
                response.raise_for_status()
                async for data in response.content.iter_any():
                    if not size:
                        began()
                    size += len(data)
            return size

        yield read


@asynccontextmanager
async def httpx_reader() -> AsyncIterator[Reader]:
    """httpx2, the continuation of httpx that openai-python is built on."""
    import httpx2

    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=None) as client:

        async def read(url: str, body: bytes, began: Began) -> int:
            size = 0
            async with client.stream("POST", url, content=body, headers=HEADERS) as response:
                response.raise_for_status()
                async for data in response.aiter_raw():
                    if not size:
                        began()
                    size += len(data)
            return size

        yield read


READERS = {"headrace": headrace_reader, "aiohttp": aiohttp_reader, "httpx2": httpx_reader}


def _nothing() -> None: ...


async def cpu_s(who: str, url: str, body: bytes, streams: int) -> float:
    """CPU seconds of this process for `streams` at once. Raises RuntimeError where one is not whole."""
    async with READERS[who]() as read:
        whole = await read(url, body, _nothing)
        began_s = time.process_time()
        sizes = await asyncio.gather(*[read(url, body, _nothing) for _ in range(streams)])
        spent_s = time.process_time() - began_s
    if any(size != whole for size in sizes):
        raise RuntimeError("a stream is not what the first one was")
    return spent_s


async def memory_bytes(who: str, url: str, body: bytes, streams: int) -> float:
    """What `streams` waiting streams hold. Each is read by a task, which for ours is a cost of the test."""
    async with READERS[who]() as read:
        waiting = await _begin(read, url, body, 20)  # pools, buffers and modules stand before the count
        before = rss_bytes(os.getpid())
        waiting += await _begin(read, url, body, streams)
        gc.collect()
        added = rss_bytes(os.getpid()) - before
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return added


async def _begin(read: Reader, url: str, body: bytes, streams: int) -> list[asyncio.Task[int]]:
    tasks: list[asyncio.Task[int]] = []
    for start in range(0, streams, 100):
        first = [asyncio.Event() for _ in range(min(100, streams - start))]
        tasks += [asyncio.ensure_future(read(url, body, event.set)) for event in first]
        for event in first:
            await asyncio.wait_for(event.wait(), 30)
    return tasks


def main() -> None:
    """Measure one client on one model."""
    who, port, model, streams, task = sys.argv[1:]
    import uvloop

    allow_open_files()
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    body = json.dumps({"model": model, "messages": [], "stream": True}).encode()
    measure = cpu_s if task == "cpu" else memory_bytes
    print(json.dumps({"value": uvloop.run(measure(who, url, body, int(streams)))}))


if __name__ == "__main__":
    main()
