"""Bytes of an event stream -> events that each begin with their number, as `id`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from headrace.core.chunk import Failure
from headrace.framing.frames import FrameSplitter

_ID_LINE = re.compile(rb"(?m)^id(?::[^\r\n]*)?(?:\r\n|\n|\r|\Z)")


def number_events(pieces: Sequence[bytes], last: int, *, told: bool = True) -> list[bytes]:
    """The events in `pieces`, which end where an event ends, numbered from `last` + 1.

    told: whether the events say their numbers; else they are only told apart.

    Comments are left out: behind an `id`, the blank line that ends a comment makes some clients see an empty
    event, and a session keeps its readers' connections alive by itself. So is an `id` of the source's own:
    the later one of two would count.
    """
    out: list[bytes] = []
    for piece in pieces:
        if piece[:5] in _BEGINNINGS and _is_one(piece) and b"\nid" not in piece:
            last += 1
            out.append(b"id: %d\n%b" % (last, piece) if told else piece)
        elif piece:
            for event in _events(piece):
                last += 1
                out.append(b"id: %d\n%b" % (last, event) if told else event)
    return out


_BEGINNINGS = frozenset({b"data:", b"event"})


def _is_one(piece: bytes) -> bool:
    """Whether it is plainly one event, of either of the usual line ends."""
    if piece[-2:] == b"\n\n":
        return piece.find(b"\n\n") == len(piece) - 2 and b"\r" not in piece
    return piece[-4:] == b"\r\n\r\n" and piece.find(b"\r\n\r\n") == len(piece) - 4 and b"\n\n" not in piece


def _events(piece: bytes) -> list[bytes]:
    """Each event in bytes of any framing that the standard allows."""
    frames = FrameSplitter(len(piece) + 2)
    found: list[bytes] = []
    for frame in frames.feed(piece):
        if not isinstance(frame, Failure) and frame.data is not None:
            raw = frame.raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
            found.append(_ID_LINE.sub(b"", raw))
    return found
