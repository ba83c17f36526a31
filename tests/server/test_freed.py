"""A stream that has ended, however it did, is freed without the garbage collector."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.garbage import garbage_of_ours
from tests.server.conftest import Carrier, Served
from tests.server.doubles import END, HandModel, Models
from tests.server.raw import chat, connected, request
from tests.server.test_streams import again, asked, began, detached, until

from headrace.core.chunk import Failure
from headrace.errors import Unavailable


async def lives(served: Served, model: HandModel) -> None:
    """Read to its end; left; left before the first token; detached, read again, and deleted; failed."""
    async with AsyncExitStack() as stack:
        read, left, early, first, failed = [
            await stack.enter_async_context(connected(served.url)) for _ in range(5)
        ]
        await read.send(chat())
        _, source = await began(read, model)
        source.push(*END)
        source.end()
        await read.response_body()
        await left.send(chat())
        _, source = await began(left, model)
        left.reset()
        await source.was_cancelled.wait()
        await early.send(chat())
        source = await model.source()
        early.reset()
        await source.was_cancelled.wait()
        await first.send(detached())
        id, source = await began(first, model)
        first.reset()
        async with connected(served.url) as again_there:
            await again_there.send(again(id, 0))
            await again_there.head()
            assert (await asked(served, "DELETE", f"/v1/streams/{id}")).status == 200
            await again_there.response_body()
        await failed.send(chat())
        _, source = await began(failed, model)
        source.end(Failure.of(Unavailable("gone")))
        await failed.response_body()
        await failed.send(request("GET", "/health"))
        await failed.response()
    await until(lambda: not served.app.live and not served.count_connections())


def test_streams_leave_no_cycles(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model)) as served:
            await lives(served, model)  # what is made once and stays
            with garbage_of_ours() as found:
                await lives(served, model)
                await asyncio.sleep(0)
            assert found == []

    direct.run(main())
