"""Where sources stand: ours tell a place in a block of text, many protocols one in the whole answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from headrace.core.chunk import Citation
from headrace.core.message import Part, TextPart


class CitedText:
    """An answer being written as one text. chars: of it so far; who writes it counts them.

    A citation without a place is about its whole block and waits for the block's end. What comes out has its
    place in the answer; one of a block that is not known is about all of the answer so far.
    """

    __slots__ = ("_begins", "_block", "_waiting", "chars")

    def __init__(self) -> None:
        self.chars = 0
        self._block = -1
        self._begins = 0
        self._waiting: list[Citation] = []

    def open(self, block: int) -> None:
        """A block of text begins."""
        self._block = block
        self._begins = self.chars

    def close(self, block: int) -> list[Citation]:
        """A block has ended: the citations that waited for it."""
        return self.rest() if block == self._block else []

    def take(self, citation: Citation) -> list[Citation]:
        """The citation, where it need not wait."""
        if citation.block != self._block:
            return [placed(citation, 0, self.chars)]
        if citation.start < 0:
            self._waiting.append(citation)
            return []
        return [placed(citation, self._begins, self.chars)]

    def rest(self) -> list[Citation]:
        """Those that wait, since nothing of their block is to come."""
        waiting, self._waiting = self._waiting, []
        return [placed(one, self._begins, self.chars) for one in waiting]


def placed(citation: Citation, begin: int, end: int) -> Citation:
    """The citation with its place in the answer; its block stands there from `begin` to `end`."""
    if citation.start < 0:
        start, stop = begin, end
    else:
        start, stop = begin + citation.start, begin + citation.end
    if (start, stop) == (citation.start, citation.end):
        return citation
    return msgspec.structs.replace(citation, start=start, end=stop)


def placed_all(citations: Iterable[Citation], parts: Iterable[Part]) -> list[Citation]:
    """A whole answer's citations with their places in its text. A citation's block is a part's number."""
    spans = _spans(parts)
    whole = (0, max((end for _, end in spans.values()), default=0))
    return [placed(one, *spans.get(one.block, whole)) for one in citations]


def _spans(parts: Iterable[Part]) -> Mapping[int, tuple[int, int]]:
    """The part's number -> where its text stands in the answer's."""
    spans: dict[int, tuple[int, int]] = {}
    end = 0
    for number, part in enumerate(parts):
        if isinstance(part, TextPart):
            spans[number] = (end, end + len(part.text))
            end += len(part.text)
    return spans
