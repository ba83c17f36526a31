"""Official `openai` clients whose server answers with given bytes: the judges of what is encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest


def client_for(body: bytes, *, content_type: str = "text/event-stream", status: int = 200) -> openai.OpenAI:
    """An official client whose server answers with these bytes."""

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"content-type": content_type})

    return openai.OpenAI(
        api_key="none",
        base_url="http://localhost/v1",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    )


@pytest.fixture
def answering() -> Iterator[Any]:
    """Makes such clients, and closes them."""
    made: list[openai.OpenAI] = []

    def make(body: bytes, **about: Any) -> openai.OpenAI:
        made.append(client_for(body, **about))
        return made[-1]

    yield make
    for client in made:
        client.close()
