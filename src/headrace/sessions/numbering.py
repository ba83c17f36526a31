"""Bytes of an event stream -> events that each begin with their number, as `id`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from headrace.core.chunk import Failure
from headrace.framing.frames import FrameSplitter

_ID_LINE = re.compile(rb"(?:\A|(?<=[\r\n]))id(?=[:\r\n]|\Z)[^\r\n]*")


def number_events(pieces: Sequence[bytes], last: int, *, told: bool = True) -> list[bytes]:
    """The events in `pieces`, which end where an event ends, numbered from `last` + 1.

    told: whether the events say their numbers; else they are only told apart.

    Comments are left out: behind an `id`, the blank line that ends a comment makes some clients see an empty
    event, and a session keeps its readers' connections alive by itself. So is an `id` of the source's own:
    the later one of two would count.
    """
    out: list[bytes] = []
    for piece in pieces:
        # A few looks at what nearly every piece is: one event of one line, or of two.
        if piece[-2:] == _LF and piece[:5] in _BEGINNINGS and b"\r" not in piece:
            lines = piece.count(b"\n")
            if lines == 2 or (lines == 3 and b"\nid" not in piece):
                last += 1
                out.append(b"id: %d\n%b" % (last, piece) if told else piece)
                continue
        for event in _plain_events(piece) or _events(piece):
            last += 1
            out.append(b"id: %d\n%b" % (last, event) if told else event)
    return out


_BEGINNINGS = frozenset({b"data:", b"event"})
_LF, _CRLF = b"\n\n", b"\r\n\r\n"


def _plain_events(piece: bytes) -> Sequence[bytes]:
    """Each event in bytes that are plainly whole events and nothing else; empty where they may not be."""
    end = _LF if piece[-2:] == _LF else _CRLF
    if piece[:5] not in _BEGINNINGS or piece[-len(end) :] != end or b"\nid" in piece:
        return ()
    # A lone CR, or a lone LF among CRLFs, ends a line too: it may hide an `id`, or the end of an event.
    pairs = 0 if end is _LF else piece.count(b"\n")
    if piece.count(b"\r") != pairs or piece.count(b"\r\n") != pairs:
        return ()
    if piece.find(end) == len(piece) - len(end):
        return (piece,)
    bodies = piece[: -len(end)].split(end)
    if any(body[:5] not in _BEGINNINGS or _LF in body for body in bodies):
        return ()
    return [body + end for body in bodies]


def _events(piece: bytes) -> list[bytes]:
    """Each event in bytes of any framing that the standard allows."""
    frames = FrameSplitter(len(piece) + 2)
    found: list[bytes] = []
    for frame in frames.feed(piece):
        if not isinstance(frame, Failure) and frame.data is not None:
            raw = frame.raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
            found.append(_ID_LINE.sub(b":", raw))  # a comment: its line end may be half of another
    return found
