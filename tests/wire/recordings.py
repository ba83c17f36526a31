"""The ledger of recorded streams: what each file of the folder beside the project speaks, and how it is read.

A file that no row names is judged by nobody: `test_recordings.py` fails over it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from headrace.framing.eventstream import encode_message

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
ABSENT = f"no recorded streams at {RECORDINGS}"

# Patterns of files -> the wire whose judge looks at them; the first that fits.
SPEAKS: tuple[tuple[str, str], ...] = (
    ("anthropic/*.sse", "anthropic"),
    ("gemini/*.sse", "gemini"),
    ("openai_chat/*.sse", "openai_chat"),
    ("openai_responses/*.sse", "openai_responses"),
    ("json_lines/alibaba/*", "openai_chat"),
    ("json_lines/amazon-bedrock/*", "bedrock"),
    ("json_lines/anthropic/*", "anthropic"),
    ("json_lines/azure/azure-deepseek-reasoning*", "openai_chat"),
    ("json_lines/azure/*", "openai_responses"),
    ("json_lines/cerebras/*", "openai_chat"),
    ("json_lines/cohere/*", "cohere"),
    ("json_lines/deepseek/chat_*", "openai_chat"),
    ("json_lines/google/google-*", "gemini"),
    ("json_lines/groq/*", "openai_chat"),
    ("json_lines/mistral/*", "openai_chat"),
    ("json_lines/moonshotai/*", "openai_chat"),
    ("json_lines/open-responses/*", "openai_responses"),
    ("json_lines/openai/chat_*", "openai_chat"),
    ("json_lines/openai/completion_*", "openai_completions"),
    ("json_lines/openai/responses_*", "openai_responses"),
    ("json_lines/openai-compatible/chat_*", "openai_chat"),
    ("json_lines/perplexity/*", "openai_chat"),
    ("json_lines/xai/responses_*", "openai_responses"),
    ("json_lines/xai/xai-*", "openai_chat"),
)
# Files of protocols that no wire speaks: to every decoder they are a typed failure, never a success.
FOREIGN: tuple[tuple[str, str], ...] = (
    ("json_lines/google/interactions_*", "Gemini Interactions"),
    ("json_lines/google/speech-translation_*", "Gemini Live"),
    ("json_lines/openai/speech-translation_*", "OpenAI Realtime"),
)
_LAST_OF_A_MESSAGE = b'data: {"type":"message_stop"}\n\n'


class Recording(NamedTuple):
    """A recorded stream: its name (the file's; with `#1` the second in it), and its bytes, framed."""

    name: str
    body: bytes

    @property
    def wire(self) -> str:
        """What it speaks."""
        return spoken_in(self.name.partition("#")[0])


def files() -> list[str]:
    """Every file of the folder but its index and its README, by path."""
    found = [path for path in RECORDINGS.rglob("*") if path.suffix in (".sse", ".jsonl")]
    return sorted(str(path.relative_to(RECORDINGS)) for path in found if path.name != "index.jsonl")


@cache
def index() -> dict[str, dict[str, Any]]:
    """What is known of each file: where it was recorded, and of an HTTP answer the request and the status."""
    path = RECORDINGS / "index.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {row["file"]: row for row in rows}


def spoken_in(file: str) -> str:
    """The wire that a file speaks; empty where no row says it."""
    return next((wire for pattern, wire in SPEAKS if fnmatchcase(file, pattern)), "")


def foreign(file: str) -> str:
    """The protocol of a file that no wire speaks; empty for the others."""
    return next((protocol for pattern, protocol in FOREIGN if fnmatchcase(file, pattern)), "")


def is_refusal(file: str) -> bool:
    """Whether a file is the body of an error status."""
    return index().get(file, {}).get("status", 200) != 200


@cache
def streams_in(file: str) -> tuple[Recording, ...]:
    """The streams of a file, framed as its wire frames them: some hold several answers in a row."""
    body = (RECORDINGS / file).read_bytes()
    wire = spoken_in(file)
    if file.endswith(".jsonl"):
        body = b"".join(_framed([line for line in body.splitlines() if line.strip()], wire))
    bodies: Iterable[bytes] = [body]
    if wire == "anthropic":
        bodies = _cut_behind(body, _LAST_OF_A_MESSAGE)
    elif wire == "openai_responses":
        bodies = _cut_before(body, b"event: response.created\n")
    return tuple(Recording(f"{file}#{at}" if at else file, one) for at, one in enumerate(bodies))


def _framed(lines: list[bytes], wire: str) -> Iterator[bytes]:
    end = b"\r\n\r\n" if wire == "gemini" else b"\n\n"
    for line in lines:
        if wire == "bedrock":
            yield _message(line)
            continue
        named = b"event: %b\n" % _type_of(line) if wire in ("openai_responses", "cohere") else b""
        yield named + b"data: " + line + end
    if wire in ("openai_chat", "openai_completions", "cohere"):
        yield b"data: [DONE]\n\n"


def _message(line: bytes) -> bytes:
    """A line's one event as Amazon frames it."""
    ((name, body),) = json.loads(line).items()
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_message(headers, json.dumps(body).encode())


def _type_of(line: bytes) -> bytes:
    try:
        return str(json.loads(line)["type"]).encode()
    except ValueError:  # a line that is cut: see DECLARED in the wire's judge
        return b"unreadable"


def _cut_behind(body: bytes, mark: bytes) -> list[bytes]:
    *answers, rest = body.split(mark)
    assert not rest.strip() or not answers
    return [answer + mark for answer in answers] or [body]


def _cut_before(body: bytes, mark: bytes) -> list[bytes]:
    first, *others = body.split(mark)
    return [mark + one for one in others] if not first else [body]


def streams(wire: str = "") -> list[Recording]:
    """All streams of a wire, or of every one, less the bodies of error statuses."""
    mine = [file for file in files() if spoken_in(file) and wire in ("", spoken_in(file))]
    return [one for file in mine if not is_refusal(file) for one in streams_in(file)]


def params(found: Iterable[Any], id: Any = str) -> list[Any]:
    """pytest's parameters for what was found in the folder; one that is skipped, where there is none."""
    marks = pytest.mark.recordings
    made = [pytest.param(one, id=id(one)[-80:], marks=marks) for one in found]
    skip = pytest.mark.skip(reason=ABSENT)
    return made or [pytest.param(None, id="none", marks=[skip, marks])]
