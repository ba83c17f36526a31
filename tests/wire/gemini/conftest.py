"""Recorded streams, and the official client as the judge."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from google import genai
from google.genai import types

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"


class Recording(NamedTuple):
    """A recorded stream: its name, and its bytes as an event stream."""

    name: str
    body: bytes


def recording_paths() -> list[Path]:
    """`interactions_*` and `speech-translation_*` are left: they are the Interactions and the Live API."""
    lines = sorted((RECORDINGS / "json_lines" / "google").glob("google-*.jsonl"))
    return [*sorted((RECORDINGS / "gemini").glob("*.sse")), *lines]


def read_recording(path: Path) -> Recording:
    body = path.read_bytes()
    if path.suffix == ".jsonl":
        lines = [line for line in body.splitlines() if line.strip()]
        body = b"".join(b"data: " + line + b"\r\n\r\n" for line in lines)
    return Recording(str(path.relative_to(RECORDINGS)), body)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, errors in (("recording", False), ("refusal_recording", True)):
        if name not in metafunc.fixturenames:
            continue
        marks = pytest.mark.recordings
        all_of_them = [(path, read_recording(path)) for path in recording_paths()]
        params = [
            pytest.param(one, id=path.stem[:70], marks=marks)
            for path, one in all_of_them
            if one.body.startswith(b"{") == errors
        ]
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        metafunc.parametrize(name, params or [pytest.param(None, marks=[skip, marks])])


class _Far:
    """The far end of the one official client there is: making one costs more than a test."""

    def __init__(self) -> None:
        self.answer = httpx.Response(500)
        self.asked: list[httpx.Request] = []
        transport = httpx.Client(transport=httpx.MockTransport(self.give))
        once = types.HttpRetryOptions(attempts=1)
        options = types.HttpOptions(httpx_client=transport, retry_options=once)
        self.client = genai.Client(api_key="not-a-key", http_options=options)

    def give(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer


_far = cache(_Far)


class Official:
    """The official client, given `body` as the answer to whatever it asks. asked: its requests."""

    def __init__(
        self, body: bytes = b"{}", status: int = 200, content_type: str = "text/event-stream"
    ) -> None:
        self._answer = (status, body, {"content-type": content_type})
        self.asked: list[httpx.Request] = []

    @property
    def client(self) -> genai.Client:
        """The client, whose next request gets the answer."""
        far = _far()
        status, body, headers = self._answer
        far.answer, far.asked = httpx.Response(status, content=body, headers=headers), self.asked
        return far.client

    def stream(self) -> list[types.GenerateContentResponse]:
        """The events of a streamed answer, as the client gives them."""
        config = types.GenerateContentConfig(automatic_continuation=False)
        return list(
            self.client.models.generate_content_stream(model="gemini-x", contents="hi", config=config)
        )

    def whole(self) -> types.GenerateContentResponse:
        """An answer that is not streamed."""
        config = types.GenerateContentConfig(automatic_continuation=False)
        return self.client.models.generate_content(model="gemini-x", contents="hi", config=config)

    def history(self) -> list[types.Content]:
        """What the client's chat remembers of the answer: it keeps each event's content as it came."""
        chat = self.client.chats.create(model="gemini-x")
        for _ in chat.send_message_stream("hi"):
            pass
        return chat.get_history(curated=True)[1:]


@pytest.fixture
def official() -> Callable[..., Official]:
    return Official


class Said(NamedTuple):
    """What an answer adds up to."""

    text: str
    reasoning: str
    calls: list[tuple[str, Any]]
    signatures: list[bytes]
    finish_reason: str
    counts: tuple[int, int, int, int]


def _put(into: Any, path: str, value: Any) -> None:
    """Set `value` in a tree at a path such as $.a[0].b; strings grow."""
    names = path.removeprefix("$.").replace("[", ".[").split(".")
    steps: list[Any] = [int(name[1:-1]) if name.startswith("[") else name for name in names]
    for step, following in pairwise(steps):
        if isinstance(into, list) and len(into) == step:
            into.append([] if isinstance(following, int) else {})
        elif isinstance(into, dict) and step not in into:
            into[step] = [] if isinstance(following, int) else {}
        into = into[step]
    last = steps[-1]
    if isinstance(into, list) and len(into) == last:
        into.append(value)
    elif isinstance(value, str):
        into[last] = (into[last] if isinstance(into, list) else into.get(last, "")) + value
    else:
        into[last] = value


def _call(part: types.FunctionCall, calls: list[tuple[str, Any]]) -> None:
    if part.name:
        calls.append((part.name, part.args or {}))
    for piece in part.partial_args or ():
        value = piece.string_value if piece.string_value is not None else piece.number_value
        _put(calls[-1][1], piece.json_path or "", value)


def said_by(responses: list[types.GenerateContentResponse]) -> Said:
    """A plain fold over the events as the official client reads them: it has no accumulator of its own."""
    text, reasoning, reason = "", "", ""
    calls: list[tuple[str, Any]] = []
    signatures: list[bytes] = []
    counts = (0, 0, 0, 0)
    for response in responses:
        usage = response.usage_metadata
        if usage is not None and usage.total_token_count:
            counts = (
                usage.prompt_token_count or 0,
                usage.candidates_token_count or 0,
                usage.thoughts_token_count or 0,
                usage.total_token_count,
            )
        for candidate in response.candidates or ():
            reason = candidate.finish_reason.value if candidate.finish_reason else reason
            parts = (candidate.content.parts if candidate.content else None) or ()
            for part in parts:
                if part.thought_signature:
                    signatures.append(part.thought_signature)
                if part.function_call is not None:
                    _call(part.function_call, calls)
                elif part.text and part.thought:
                    reasoning += part.text
                elif part.text:
                    text += part.text
    return Said(text, reasoning, calls, signatures, reason, counts)


@pytest.fixture(name="said_by")
def said_by_fixture() -> Callable[[list[types.GenerateContentResponse]], Said]:
    return said_by
