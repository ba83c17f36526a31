"""A log with a bug of its own: every client hears that something is wrong, and none is left waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import END, HandModel, Models
from tests.server.raw import connected
from tests.server.test_streams import again, asked, began, detached

from headrace.sessions.table import Sessions
from headrace.store.log import StreamState
from headrace.store.memory import MemoryLog


class BuggyLog(MemoryLog):
    """It cannot be asked any more, once `broken`."""

    broken = ""
    reads = 0

    async def state(self, id: str, /) -> StreamState | None:
        if self.broken == "state":
            raise RuntimeError("a bug")
        return await super().state(id)

    async def read(self, id: str, after: int, max_bytes: int, /) -> Sequence[bytes]:
        if self.broken == "read":
            self.reads += 1
            raise RuntimeError("a bug")
        return await super().read(id, after, max_bytes)


@pytest.mark.parametrize("broken", ["state", "read"])
def test_a_bug_of_the_log_is_an_answer(
    direct: Carrier, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        model, log = HandModel(), BuggyLog()
        async with direct.serving(Models(model), sessions=Sessions(log)) as served:
            async with connected(served.url) as client:
                await client.send(detached())
                id, source = await began(client, model)
                log.broken = broken
                if broken == "read":
                    answer = await asked(served, "GET", f"/v1/streams/{id}")
                    await asyncio.sleep(0)
                    assert log.reads == 1, "it is not asked again and again"
                else:
                    answer = await asked(served, "GET", f"/v1/streams/{id}/status")
                assert (answer.status, answer.error["code"]) == (500, "internal_error")
                assert b"a bug" not in answer.body
                source.push(*END)
                source.end()
                await client.response_body()
            if broken == "state":
                async with connected(served.url) as client:
                    await client.send(again(id))
                    assert (await client.response()).status == 500

    direct.run(main())
    assert "a bug" in caplog.text
