"""Whether a relayed answer is whole: the HTTP body without its framing, and the text it carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta
    finish_reason: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] = []
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


EVENT = msgspec.json.Decoder(_Event)


@dataclass(slots=True)
class Answer:
    """What one answer held.

    done: `[DONE]` came, and nothing after it. garbled: how many events were not JSON.
    """

    status: int
    events: int = 0
    text: str = ""
    finish: str = ""
    output_tokens: int = 0
    error: dict[str, Any] | None = None
    done: bool = False
    garbled: int = 0


def body_of(answer: bytes) -> tuple[int, bytes]:
    """Status and body of a raw HTTP/1.1 answer; a cut chunked body gives what came."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" not in head.lower():
        return status, rest
    parts: list[bytes] = []
    at = 0
    while (line_end := rest.find(b"\r\n", at)) >= 0:
        size = int(rest[at:line_end].split(b";")[0], 16)
        if size == 0:
            break
        parts.append(rest[line_end + 2 : line_end + 2 + size])
        at = line_end + size + 4
    return status, b"".join(parts)


def read_answer(raw: bytes) -> Answer:
    """Read a raw HTTP answer of a chat stream."""
    status, body = body_of(raw)
    answer = Answer(status)
    pieces: list[str] = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        data = b"".join(line[6:] for line in block.split(b"\n") if line.startswith(b"data: "))
        if not data:
            continue
        if data == b"[DONE]":
            answer.done = True
            continue
        answer.done = False
        answer.events += 1
        try:
            _take(EVENT.decode(data), answer, pieces)
        except msgspec.DecodeError:
            answer.garbled += 1
    answer.text = "".join(pieces)
    return answer


def _take(event: _Event, answer: Answer, pieces: list[str]) -> None:
    if event.error is not None:
        answer.error = event.error
    if event.usage:
        answer.output_tokens = int(event.usage.get("completion_tokens", 0))
    for choice in event.choices:
        pieces.append(choice.delta.content or "")
        answer.finish = choice.finish_reason or answer.finish
