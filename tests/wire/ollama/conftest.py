"""The official client as the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import ollama
import pytest


@pytest.fixture
def answering() -> Iterator[Callable[..., ollama.Client]]:
    """Makes an official client whose server answers with these bytes; `asked` gathers its requests."""
    made: list[ollama.Client] = []

    def make(body: bytes, *, status: int = 200, asked: list[httpx.Request] | None = None) -> ollama.Client:
        def answer(request: httpx.Request) -> httpx.Response:
            if asked is not None:
                asked.append(request)
            return httpx.Response(status, content=body, headers={"content-type": "application/x-ndjson"})

        client = ollama.Client(host="http://localhost", transport=httpx.MockTransport(answer))
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
