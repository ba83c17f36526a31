"""A protocol's writer that raises: its client gets an error and is not left waiting, the log has the bug."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models
from tests.server.raw import connected, request

from headrace.core.chunk import Chunk, Finish, Start, TextDelta
from headrace.core.reply import Reply
from headrace.server.answers import Answers
from headrace.wire.openai_chat import FRONT

PATH = "/v1/broken"


class Bug(Exception):
    pass


class Broken:
    """An encoder that fails at the first chunk of a kind, or at all from there on."""

    def __init__(self, at: type, *, always: bool) -> None:
        self._at, self._always, self._failed = at, always, False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        if any(type(one) is self._at for one in batch) or (self._failed and self._always):
            self._failed = True
            raise Bug
        return [b"data: {}\n\n" for _ in batch]

    def close(self) -> list[bytes]:
        if self._failed and self._always:
            raise Bug
        return []


def no_body(_reply: Reply, _says: Any, _parsed: Any) -> bytes:
    raise Bug


async def asked(carrier: Carrier, front: Any, stream: bool) -> Any:
    """The raw response of a whole exchange with a model that says "hi"; None where the connection was cut."""
    model = HandModel()
    async with carrier.serving(Models(model)) as served, connected(served.url) as client:
        served.app.routes["POST", PATH] = Answers(served.app, "openai_chat", front)
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream}
        await client.send(request("POST", PATH, json.dumps(body).encode()))
        source = await model.source()
        source.push(*BEGIN)
        source.push(TextDelta(0, "hi"), *END)
        source.end()
        async with asyncio.timeout(30):
            try:
                return await client.response()
            except (asyncio.IncompleteReadError, ConnectionError):
                return None


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("at", [Start, TextDelta, Finish])
def test_in_a_stream(carrier: Carrier, at: Any, always: bool, caplog: pytest.LogCaptureFixture) -> None:
    front = replace(FRONT, encoder=lambda _says, _parsed: Broken(at, always=always))
    begun = at is not Start

    async def main() -> None:
        response = await asked(carrier, front, True)
        if not begun:
            assert response.status == 500
            assert b"internal_error" in response.body
        elif always:
            assert response is None
        else:
            assert response.status == 200

    carrier.run(main())
    assert "encoding for a client of m failed" in caplog.text


def test_in_a_body(carrier: Carrier, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        response = await asked(carrier, replace(FRONT, body=no_body), False)
        assert (response.status, b"internal_error" in response.body) == (500, True)

    carrier.run(main())
    assert "the body of an answer failed" in caplog.text
