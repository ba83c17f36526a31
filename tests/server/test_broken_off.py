"""A stream that breaks off, in bytes; what the official clients make of it is told in tests/matrix."""

from __future__ import annotations

import asyncio
import json

from tests.server.doubles import BEGIN, HandModel, Models
from tests.server.raw import connected, request

from headrace.core.chunk import Failure, TextDelta
from headrace.errors import Unavailable
from headrace.server.serve import running_server


def test_a_responses_stream_that_breaks_off_is_numbered_to_its_end() -> None:
    async def main() -> bytes:
        model = HandModel()
        async with running_server(Models(model)) as server, connected(server.url) as client:
            body = json.dumps({"model": "m", "input": "hi", "stream": True}).encode()
            await client.send(request("POST", "/v1/responses", body))
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, "hi"))
            source.end(Failure.of(Unavailable("gone")))
            return (await client.response()).body

    lines = [line for line in asyncio.run(main()).splitlines() if line.startswith(b"data: ")]
    events = [json.loads(line[6:]) for line in lines]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
