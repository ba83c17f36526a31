"""Recorded streams, and the official client as the judge."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import httpx
import openai
import pytest

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"


class Recording(NamedTuple):
    """A recorded stream: its name, and its bytes as an event stream that ends in [DONE]."""

    name: str
    body: bytes


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    paths = sorted((RECORDINGS / "json_lines" / "openai").glob("completion_*.jsonl"))
    if not paths:
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        metafunc.parametrize("recording", [pytest.param(None, marks=[skip, pytest.mark.recordings])])
        return
    read = [
        Recording(
            path.stem,
            b"".join(b"data: " + line + b"\n\n" for line in path.read_bytes().splitlines() if line.strip())
            + b"data: [DONE]\n\n",
        )
        for path in paths
    ]
    metafunc.parametrize(
        "recording", [pytest.param(one, id=one.name, marks=pytest.mark.recordings) for one in read]
    )


@pytest.fixture
def answering():
    """Makes an official client whose server answers with these bytes."""
    made: list[openai.OpenAI] = []

    def make(body: bytes, *, content_type: str = "text/event-stream", status: int = 200) -> openai.OpenAI:
        def answer(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(status, content=body, headers={"content-type": content_type})

        client = openai.OpenAI(
            api_key="none",
            base_url="http://localhost/v1",
            max_retries=0,
            http_client=httpx.Client(transport=httpx.MockTransport(answer)),
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
