"""Scripted event streams for `stream_sse(test_mode=...)`: the whole client, and no network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import Truncated
from headrace.framing.sse import comment, encode_event
from headrace.transport.http import CONNECT_S, Call, HttpRequest, Receiver
from headrace.transport.wheel import Wheel


class Script(msgspec.Struct, frozen=True):
    """What a connection brings: its reads, and whether it is cut after them."""

    reads: tuple[bytes, ...]
    cut: bool = False


def _completion(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 0, "model": "test"}
    return encode_event(msgspec.json.encode({**body, "choices": [choice]}))


SCRIPTS: dict[str, Script] = {
    "basic": Script((encode_event("Hello"), encode_event("from"), encode_event("Headrace"))),
    "openai": Script(
        (
            _completion({"role": "assistant", "content": ""}),
            _completion({"content": "Hello"}) + _completion({"content": " world"}),
            _completion({}, "stop"),
            encode_event("[DONE]"),
        )
    ),
    "multi_line": Script(
        (
            encode_event("first line\nsecond line\n\nfourth line", event="note", id="1", retry=1000),
            comment() + b"data: cut in the mid",
            b"dle\ndata: and two lines\n\n",
            encode_event("CR and\r\nCRLF\rarrive as LF", id="2").replace(b"\n", b"\r\n"),
        )
    ),
    "error": Script((encode_event("one", id="1"), encode_event("two", id="2"), b"data: nev"), cut=True),
}


class ScriptedSender:
    """A `Sender` that answers every request with `script`, one read a turn of the loop.

    Belongs to the loop that runs when it first sends.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._wheel: Wheel | None = None

    @property
    def wheel(self) -> Wheel:
        """See `Sender`."""
        if self._wheel is None:
            self._wheel = Wheel(asyncio.get_running_loop())
        return self._wheel

    def send(self, request: HttpRequest, receiver: Receiver, *, connect_s: float = CONNECT_S) -> Call:
        """See `Sender.send`. Nothing is connected, so `connect_s` cannot run out."""
        return _Playing(receiver, self._script.reads, self._script.cut)


class _Playing:
    """One scripted answer under way."""

    def __init__(self, receiver: Receiver, reads: Sequence[bytes], cut: bool) -> None:
        self._receiver = receiver
        self._reads = reads
        self._cut = cut
        self._at = -1  # before the head
        self._paused = False
        self._cancelled = False
        self._turn: asyncio.Handle | None = None
        self._next()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._next()

    def cancel(self) -> None:
        self._cancelled = True

    def _next(self) -> None:
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._play)

    def _play(self) -> None:
        self._turn = None
        if self._cancelled or self._paused or self._at > len(self._reads):
            return
        at, self._at = self._at, self._at + 1
        if at < 0:
            self._receiver.head(200, {"content-type": "text/event-stream"})
        elif at < len(self._reads):
            self._receiver.data(self._reads[at])
        elif self._cut:
            self._receiver.lost(Failure.of(Truncated("the scripted connection was cut")))
        else:
            self._receiver.done()
        self._next()
