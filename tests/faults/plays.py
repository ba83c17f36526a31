"""What a place does: its good answer, up to a phase, and then the fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from headrace.testing.loopback import Peer
from tests.faults.speech import HEADERS, Phase, Speech
from tests.faults.upstream import LAST, Play, Upstream, chunk, head
from tests.matrix.providers.base import Answer

ENDLESS_BYTES = 64 * 2**20
_PIECE = b"x" * 2**16


def _begin(speech: Speech, phase: Phase) -> bytes:
    """The bytes that have been sent when the phase begins."""
    if phase == HEADERS:
        return b""
    return head(speech.provider.content_type) + chunk(b"".join(speech.before(phase)))


def answers(body: bytes | Sequence[bytes], content_type: str = "text/event-stream") -> Play:
    """A whole answer with 200. body: in one piece, or in several reads of the server."""

    async def play(_: Upstream, peer: Peer) -> None:
        peer.write(head(content_type))
        for piece in (body,) if isinstance(body, bytes) else body:
            peer.write(chunk(piece))
            await peer.writer.drain()
            for _turn in range(3):  # a chance to read it by itself
                await asyncio.sleep(0)
        peer.write(LAST)
        await peer.gone()

    return play


def refuses(answer: Answer) -> Play:
    """An answer with an error status."""

    async def play(_: Upstream, peer: Peer) -> None:
        fields = tuple(answer.headers.items())
        peer.write(head(answer.content_type, answer.status, fields) + chunk(answer.body) + LAST)
        await peer.gone()

    return play


def drips(speech: Speech, phase: Phase) -> Play:
    """A good answer whose part of this phase comes in slices of one byte."""
    parts = {HEADERS: head(speech.provider.content_type)}
    behind = speech.opening, speech.texts, speech.ending
    names: tuple[Phase, ...] = ("before first token", "mid", "at the end")
    parts |= {name: chunk(b"".join(events)) for name, events in zip(names, behind, strict=True)}

    async def play(_: Upstream, peer: Peer) -> None:
        for name, data in parts.items():
            if name == phase:
                await peer.drip(data)
            else:
                peer.write(data)
        peer.write(LAST)
        await peer.gone()

    return play


def then(speech: Speech, phase: Phase, fault: Callable[[Upstream, Peer], Awaitable[None]]) -> Play:
    """The answer up to the phase, then the fault."""

    async def play(upstream: Upstream, peer: Peer) -> None:
        peer.write(_begin(speech, phase))
        await peer.writer.drain()
        await fault(upstream, peer)

    return play


def says(*events: bytes, ends: bool = False) -> Callable[[Upstream, Peer], Awaitable[None]]:
    """A fault in what is said. ends: the body's proper end follows."""

    async def fault(_: Upstream, peer: Peer) -> None:
        peer.write(chunk(b"".join(events)) + (LAST if ends else b""))
        await peer.gone()

    return fault


async def silence(_: Upstream, peer: Peer) -> None:
    """Nothing more."""
    await peer.gone()


def headers_then_silence(speech: Speech) -> Play:
    """The head of a good answer, and nothing of it."""

    async def play(_: Upstream, peer: Peer) -> None:
        peer.write(head(speech.provider.content_type))
        await peer.gone()

    return play


async def reset(_: Upstream, peer: Peer) -> None:
    """An RST."""
    peer.reset()


async def hang_up(_: Upstream, _peer: Peer) -> None:
    """A clean FIN, in the middle of a chunked body."""


async def end_of_body(_: Upstream, peer: Peer) -> None:
    """The proper end of the body, though nobody said that the answer is complete."""
    peer.write(LAST)
    await peer.gone()


async def endless_event(upstream: Upstream, peer: Peer) -> None:
    """One event without an end, as much of it as is taken."""
    peer.write(chunk(b'data: {"x": "'))
    await _flood(upstream, peer, chunk(_PIECE))


async def _flood(upstream: Upstream, peer: Peer, data: bytes) -> None:
    while upstream.taken < ENDLESS_BYTES and not peer.writer.is_closing():
        peer.write(data)
        await peer.writer.drain()
        upstream.taken += len(data)
        await asyncio.sleep(0)
    await peer.gone()


async def endless_head(upstream: Upstream, peer: Peer) -> None:
    """A header without an end."""
    peer.write(b"HTTP/1.1 200 OK\r\nx-endless: ")
    await _flood(upstream, peer, _PIECE)


async def garbage(_: Upstream, peer: Peer) -> None:
    """No HTTP."""
    peer.write(b"220 mail.example.org ESMTP\r\n\r\n")
    await peer.gone()


def waits(speech: Speech, phase: Phase) -> Play:
    """A good answer that stands still at the phase until it is told to go on."""

    async def play(upstream: Upstream, peer: Peer) -> None:
        peer.write(_begin(speech, phase))
        await peer.writer.drain()
        upstream.reached.set()
        gone = asyncio.ensure_future(peer.gone())
        go = asyncio.ensure_future(upstream.go.wait())
        await asyncio.wait({gone, go}, return_when=asyncio.FIRST_COMPLETED)
        go.cancel()
        rest = head(speech.provider.content_type) if phase == HEADERS else b""
        if not gone.done():
            peer.write(rest + chunk(b"".join(speech.after(phase))) + LAST)
        await gone

    return play
