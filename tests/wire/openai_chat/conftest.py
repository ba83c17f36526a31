"""Recorded streams, and the official client's own accumulator as the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openai._models import construct_type
from openai._streaming import SSEDecoder
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"

# The folders of `json_lines` whose files are chat completions, and the names there that are.
CHAT_LINES = (
    "alibaba/*",
    "azure/azure-deepseek-reasoning*",
    "cerebras/*",
    "deepseek/chat_*",
    "groq/*",
    "mistral/*",
    "moonshotai/*",
    "openai/chat_*",
    "openai-compatible/chat_*",
    "perplexity/*",
    "xai/xai-*",
)


class Recording(NamedTuple):
    """A recorded stream: its name, and its bytes as an event stream that ends in [DONE]."""

    name: str
    body: bytes


class Said(NamedTuple):
    """What a stream adds up to, as far as all sides can tell it."""

    text: str
    refusal: str
    reasoning: str
    tool_calls: list[tuple[str, str, str]]
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None


def recording_paths() -> list[Path]:
    lines = [path for pattern in CHAT_LINES for path in sorted((RECORDINGS / "json_lines").glob(pattern))]
    return [*sorted((RECORDINGS / "openai_chat").glob("*.sse")), *lines]


def read_recording(path: Path) -> Recording:
    body = path.read_bytes()
    if path.suffix == ".jsonl":
        lines = [line for line in body.splitlines() if line.strip()]
        body = b"".join(b"data: " + line + b"\n\n" for line in lines) + b"data: [DONE]\n\n"
    return Recording(str(path.relative_to(RECORDINGS)), body)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" not in metafunc.fixturenames:
        return
    paths = recording_paths()
    if not paths:
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        metafunc.parametrize("recording", [pytest.param(None, marks=[skip, pytest.mark.recordings])])
        return
    marks = pytest.mark.recordings
    metafunc.parametrize(
        "recording", [pytest.param(read_recording(path), id=path.stem[:70], marks=marks) for path in paths]
    )


def sdk_chunks(body: bytes) -> Iterator[Any]:
    """The chunks as the official client makes them of the bytes of an answer."""
    for event in SSEDecoder().iter_bytes(iter([body])):
        if event.data.startswith("[DONE]"):
            return
        yield construct_type(type_=ChatCompletionChunk, value=event.json())


def sdk_said(body: bytes) -> Said:
    """What the official client's accumulator makes of an answer's bytes."""
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in sdk_chunks(body):
        state.handle_chunk(chunk)
    final = state.current_completion_snapshot
    message = final.choices[0].message
    calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()]
    reasoning = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    usage = final.usage
    return Said(
        text=message.content or "",
        refusal=message.refusal or "",
        reasoning=reasoning or "",
        tool_calls=calls,
        finish_reason=final.choices[0].finish_reason,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        total_tokens=usage.total_tokens if usage else None,
    )


@pytest.fixture(name="sdk_said")
def sdk_said_fixture() -> Callable[[bytes], Said]:
    return sdk_said
