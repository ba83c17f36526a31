"""The streams that the upstream can play, as ready bytes: a row a behaviour, chosen by the model's name.

`burst-300` is the behaviour `burst` with 300 pieces of text. A reply has three more events than pieces:
the role, the finish and (where asked for) the usage.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
)
LAST = b"0\r\n\r\n"
WORDS = ("the ", "stream ", "runs ", "down ", "to ", "the ", "mill, ", "wheel ", "by ", "wheel. ")
BURST = 32
End = Literal["keep", "close", "reset", "silent"]


@dataclass(frozen=True, slots=True)
class Script:
    """What to write, one item a beat (the first at once), and what to do after the last."""

    writes: tuple[bytes, ...]
    end: End = "keep"


def words(count: int) -> list[str]:
    """The pieces of text of a reply."""
    return [WORDS[i % len(WORDS)] for i in range(count)]


def chunk(choices: list[dict[str, Any]], usage: dict[str, int] | None = None, *, asked: bool = True) -> bytes:
    """One OpenAI chat.completion.chunk as an SSE event."""
    body: dict[str, Any] = {
        "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
        "object": "chat.completion.chunk",
        "created": 1741570283,
        "model": "scripted",
        "service_tier": "default",
        "system_fingerprint": "fp_50cad350e4",
        "choices": choices,
    }
    if asked:
        body["usage"] = usage
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def events(count: int, asked: bool) -> list[bytes]:
    """All events of a complete reply, `[DONE]` apart."""

    def choice(delta: dict[str, Any], finish: str | None = None) -> bytes:
        row = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return chunk([row], asked=asked)

    made = [choice({"role": "assistant", "content": "", "refusal": None})]
    made += [choice({"content": word}) for word in words(count)]
    made.append(choice({}, "stop"))
    if asked:
        usage = {"prompt_tokens": 12, "completion_tokens": count, "total_tokens": count + 12}
        made.append(chunk([], usage))
    return made


def framed(*parts: bytes) -> bytes:
    """One write: each part as an HTTP chunk of its own, as a server that flushes each event sends it."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def _tail(made: list[bytes], count: int) -> bytes:
    return framed(*made[count + 2 :], b"data: [DONE]\n\n") + LAST


def _spread(count: int, asked: bool) -> Script:
    made = events(count, asked)
    first = HEAD + framed(*made[:2])
    beats = [framed(event) for event in made[2 : count + 2]]
    return Script((first, *beats, _tail(made, count)))


def _burst(count: int, asked: bool) -> Script:
    made = events(count, asked)
    first = HEAD + framed(*made[:2])
    beats = [framed(*made[i : min(i + BURST, count + 2)]) for i in range(2, count + 2, BURST)]
    return Script((first, *beats, _tail(made, count)))


def _opening(count: int, asked: bool) -> tuple[bytes, ...]:
    made = events(count, asked)
    return (HEAD + framed(*made[:2]), *(framed(event) for event in made[2 : count + 1]))


def _wait(count: int, asked: bool) -> Script:
    return Script(_opening(count, asked), "silent")


def _cut(count: int, asked: bool) -> Script:
    return Script(_opening(count, asked), "close")


def _reset(count: int, asked: bool) -> Script:
    return Script(_opening(count, asked), "reset")


def _unfinished(count: int, asked: bool) -> Script:
    return Script((*_opening(count, asked), LAST))


def _garbled(count: int, asked: bool) -> Script:
    return Script((*_opening(count, asked), framed(b'data: {"id":"chatcmpl-1","choices":[{"ind\n\n') + LAST))


def _refused(count: int, asked: bool) -> Script:
    body = json.dumps({"error": {"message": "overloaded", "type": "server_error", "code": None}}).encode()
    head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return Script((head % len(body) + body,))


ROWS: dict[str, Callable[[int, bool], Script]] = {
    "spread": _spread,  # an event a beat
    "burst": _burst,  # 32 events a beat
    "wait": _wait,  # `count` pieces, then silence
    "cut": _cut,  # the connection closes after `count` pieces, inside the HTTP body
    "reset": _reset,  # the same by RST
    "unfinished": _unfinished,  # the HTTP body ends well, without finish and [DONE]
    "garbled": _garbled,  # an event that is not JSON
    "refused": _refused,  # 503 with an error body
}


@lru_cache(maxsize=256)
def script(model: str, asked: bool) -> Script:
    """The script for a model's name such as `spread-300`; `asked` is whether usage was asked for.

    Raises: KeyError for an unknown behaviour, ValueError for a bad count.
    """
    behaviour, _, count = model.rpartition("/")[2].partition("-")
    return ROWS[behaviour](int(count), asked)
