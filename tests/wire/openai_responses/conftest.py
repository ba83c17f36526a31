"""Recorded streams, and the official client's own accumulator as the judge."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openai import omit
from openai._models import construct_type
from openai._streaming import SSEDecoder
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"

# The files of `json_lines` that speak this protocol.
LINES = ("openai/responses_*", "azure/azure-[!d]*", "azure/openai-*", "open-responses/*", "xai/responses_*")
# Hand-made, and two of its lines are cut in the middle: no stream.
NOT_JSON = "responses_parallel-tool-call-wrapper.1"


class Recording(NamedTuple):
    """A recorded stream: its name, and its bytes as an event stream."""

    name: str
    body: bytes


class Said(NamedTuple):
    """What a stream adds up to, as far as all sides can tell it."""

    text: str
    refusal: str
    reasoning: str
    tool_calls: list[tuple[str, str, str]]
    status: str
    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None


def recording_paths() -> list[Path]:
    lines = [path for pattern in LINES for path in sorted((RECORDINGS / "json_lines").glob(pattern))]
    kept = [path for path in lines if path.stem != NOT_JSON]
    return [*sorted((RECORDINGS / "openai_responses").glob("*.sse")), *kept]


def read_recordings(path: Path) -> list[Recording]:
    """The streams of a file: some hold several answers one behind the other."""
    body = path.read_bytes()
    name = str(path.relative_to(RECORDINGS))
    if path.suffix != ".jsonl":
        return [Recording(name, body)]
    streams: list[bytes] = []
    for line in body.splitlines():
        if not line.strip():
            continue
        kind = json.loads(line)["type"]
        if kind == "response.created":
            streams.append(b"")
        streams[-1] += b"event: %b\ndata: %b\n\n" % (kind.encode(), line)
    return [Recording(f"{name}#{place}" if place else name, stream) for place, stream in enumerate(streams)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    paths = recording_paths()
    if not paths:
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        metafunc.parametrize("recording", [pytest.param(None, marks=[skip, pytest.mark.recordings])])
        return
    marks = pytest.mark.recordings
    found = [one for path in paths for one in read_recordings(path)]
    metafunc.parametrize(
        "recording", [pytest.param(one, id=one.name.rsplit("/")[-1][:70], marks=marks) for one in found]
    )


def sdk_events(body: bytes) -> Iterator[Any]:
    """The events as the official client makes them of the bytes of an answer."""
    for event in SSEDecoder().iter_bytes(iter([body])):
        yield construct_type(type_=ResponseStreamEvent, value=event.json())


def sdk_last(body: bytes) -> Response:
    """The response of the last event, as the official client reads it, without its accumulator."""
    *_, last = sdk_events(body)
    response: Response = last.response
    return response


def sdk_final(body: bytes) -> Response:
    """What the official client's accumulator makes of an answer's bytes; asserts that it accepts them all."""
    with warnings.catch_warnings():
        # pydantic's word about tools of xAI's that the client has no class for
        warnings.filterwarnings("ignore", "Pydantic serializer warnings")
        return _accumulated(body)


def _accumulated(body: bytes) -> Response:
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    final: Response | None = None
    for event in sdk_events(body):
        for made in state.handle_event(event):
            if made.type in ("response.completed", "response.incomplete", "response.failed"):
                final = made.response
    assert final is not None
    return final


def said_by(response: Response) -> Said:
    """A response as the judge's word."""
    text, refusal, reasoning, calls = "", "", "", []
    for item in response.output:
        if item.type == "message":
            for part in item.content:
                text += part.text if part.type == "output_text" else ""
                refusal += part.refusal if part.type == "refusal" else ""
        elif item.type == "reasoning":
            reasoning += "".join(part.text for part in [*item.summary, *(item.content or ())])
        elif item.type == "function_call":
            calls.append((item.call_id, item.name, item.arguments))
        elif item.type == "custom_tool_call":
            calls.append((item.call_id, item.name, item.input))
    usage = response.usage
    return Said(
        text=text,
        refusal=refusal,
        reasoning=reasoning,
        tool_calls=calls,
        status=response.status or "",
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        reasoning_tokens=usage.output_tokens_details.reasoning_tokens if usage else None,
    )


@pytest.fixture(name="sdk_said")
def sdk_said_fixture() -> Callable[[bytes], Said]:
    return lambda body: said_by(sdk_final(body))
