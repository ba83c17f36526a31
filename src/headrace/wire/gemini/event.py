"""One event that is more than a piece of text -> chunks of our family."""

from __future__ import annotations

from itertools import count

import msgspec

from headrace.core.chunk import Chunk, Failure, TextDelta, VendorPart
from headrace.core.opaque import Opaque
from headrace.wire.failing import bad_index
from headrace.wire.gemini.candidate import Candidate, is_bad_end
from headrace.wire.gemini.citations import read_citations
from headrace.wire.gemini.finish import UNSPECIFIED, ended_badly
from headrace.wire.gemini.logprobs import tokens_from
from headrace.wire.gemini.parts import PartReader, Tokens, end_arguments
from headrace.wire.gemini.schema import MAX_CANDIDATES, MORE, WIRE_NAME, CandidateBody, Event, Fields, kept
from headrace.wire.sticky import Sticky

_MODELLED = frozenset({"content", "finishReason", "index", "logprobsResult"})
_IN_CONTENT = frozenset({"parts", "role"})


class Answer:
    """The candidates of one reply being decoded."""

    __slots__ = ("_numbers", "candidates", "reader")

    def __init__(self) -> None:
        self.candidates: dict[int, Candidate] = {}
        self.reader = PartReader()
        self._numbers = count()

    @property
    def whole(self) -> bool:
        """Whether there are candidates and each has ended."""
        return bool(self.candidates) and all(one.reason is not None for one in self.candidates.values())

    def read(self, event: Event, data: Fields, out: list[Chunk]) -> Failure | None:
        """Append what the event's candidates say; the failure, where one says that there is no answer.

        data: the event as plain data. Raises ValueError for what contradicts itself.
        """
        bodies = event.candidates or []
        raws = data.get("candidates") or []
        left = sum(_units(body, raw) for body, raw in zip(bodies, raws, strict=True))
        for body, raw in zip(bodies, raws, strict=True):
            units = _units(body, raw)
            left -= units
            failure = self._candidate(body, raw, units, left, out)
            if failure is not None:
                return failure
        return None

    def of(self, index: int) -> Candidate:
        """The candidate with this index. Raises ValueError where it is out of bounds."""
        found = self.candidates.get(index)
        if found is None:
            if not 0 <= index < MAX_CANDIDATES:
                raise ValueError(bad_index(index, MAX_CANDIDATES))
            found = self.candidates[index] = Candidate(index, self._numbers)
        return found

    def _candidate(
        self, body: CandidateBody, raw: Fields, units: int, after: int, out: list[Chunk]
    ) -> Failure | None:
        """Read one candidate; units: what of it goes out again; after: the same of those behind it."""
        to = self.of(body.index)
        tokens = Tokens(tokens_from(body.logprobs_result), raw.get("logprobsResult"))
        parts = body.content.parts if body.content is not None else None
        for place, part in enumerate(parts or ()):
            part_raw = raw["content"]["parts"][place]
            units -= _speaks(part_raw)
            self.reader.read(part, part_raw, to, units + after > 0, tokens, out)
        extra = _extra(raw)
        _say_tokens(tokens, to, bool(extra or _ends(body) or after), extra, out)
        if extra:
            read_citations(extra, to, out)
            units -= 1
            data: Fields = {"candidates": [{"index": to.index, **extra}]}
            if units + after > 0:
                data[MORE] = True
            out.append(VendorPart(Opaque(WIRE_NAME, data)))
        reason = body.finish_reason
        if is_bad_end(reason):
            return ended_badly(str(reason), str(raw.get("finishMessage") or ""))
        if reason is not None and _ends(body):
            end_arguments(to, reason != "STOP", out)
            to.end(reason, after > 0, out)
        return None


def _say_tokens(left: Tokens, to: Candidate, more: bool, extra: Fields, out: list[Chunk]) -> None:
    """Log probabilities that no text took: a token that is only a part of a character, or none at all."""
    tokens, beside = left.taken()
    if tokens and to.kind == "text":
        out.append(TextDelta(to.block, "", tokens, to.index, kept(beside, more)))
    else:
        extra.update(beside)


def _extra(raw: Fields) -> Fields:
    extra = {name: value for name, value in raw.items() if name not in _MODELLED and value is not None}
    content = raw.get("content")
    if isinstance(content, dict) and not content.keys() <= _IN_CONTENT:
        extra["content"] = {name: value for name, value in content.items() if name not in _IN_CONTENT}
    if is_bad_end(raw.get("finishReason")):
        extra.pop("finishMessage", None)  # the failure says it
    return extra


def _ends(body: CandidateBody) -> bool:
    """Whether the candidate ends well here."""
    reason = body.finish_reason
    return bool(reason) and reason != UNSPECIFIED and not is_bad_end(reason)


def _speaks(part: Fields) -> bool:
    """Whether a part says anything: text that is empty, with nothing beside it, does not."""
    return part.get("text") != "" or not part.keys() <= {"text", "thought"}


def _units(body: CandidateBody, raw: Fields) -> int:
    """How many things of a candidate go out again on their own: its parts, its extras, its end."""
    # "null" as a text is taken for none of them, so that the plain data alone does not tell.
    parts = raw["content"]["parts"] if body.content is not None and body.content.parts else ()
    return sum(map(_speaks, parts)) + bool(_extra(raw)) + _ends(body)


def top_level(data: Fields, seen: Sticky) -> Fields:
    """The event's own fields beside the candidates that say something new."""
    named = {name: value for name, value in data.items() if name not in ("candidates", "usageMetadata")}
    return seen.new(named)


def created_s(text: str | None) -> int:
    """Seconds since 1970 of a `createTime`, 0 where it tells none."""
    import datetime  # rarely needed: only Vertex AI says it

    try:
        return int(msgspec.convert(text, datetime.datetime).timestamp()) if text else 0
    except (msgspec.ValidationError, OverflowError, ValueError):
        return 0
