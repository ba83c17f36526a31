"""Chunks -> the events of a streamed answer, and a whole reply -> its body.

The protocol has text and nothing else: a refusal goes out as text (finish_reason `content_filter`), and so
does what sound says; reasoning, tool calls, sound itself, images and citations have no place in the vendor's
schema and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import msgspec

from headrace.core.chunk import (
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    RefusalDelta,
    Start,
    TextDelta,
    Token,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    answer_tokens,
)
from headrace.core.opaque import Opaque
from headrace.core.reply import Candidate, Reply
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Truncated
from headrace.wire.base import Says
from headrace.wire.openai_completions.candidate import WITH_REASON
from headrace.wire.openai_completions.failure import error_event
from headrace.wire.openai_completions.finish import reason_word
from headrace.wire.openai_completions.logprobs import logprobs_body
from headrace.wire.openai_completions.schema import own
from headrace.wire.openai_completions.usage import usage_body

Fields = dict[str, Any]
_json = msgspec.json.encode
DONE = b"data: [DONE]\n\n"


class CompletionsEncoder:
    """A stage: chunks -> SSE bytes of `text_completion` objects, ending in `[DONE]`.

    says: what every event says; what is empty is the source's own. include_usage: `usage` is null in each
    event and a last one carries it. echo: text that goes before each candidate's own. A Failure becomes an
    error event and `[DONE]`. `text_offset` counts from the beginning of the text sent, where the source does
    not tell it.
    """

    __slots__ = (
        "_after",
        "_before",
        "_done",
        "_echo",
        "_head",
        "_held",
        "_include_usage",
        "_offsets",
        "_refused",
        "_tail",
        "_usage",
    )

    def __init__(self, says: Says, *, include_usage: bool = False, echo: str = "") -> None:
        self._head: Fields = {
            "id": says.id,
            "object": "text_completion",
            "created": says.created_s,
            "model": says.model,
        }
        self._include_usage = include_usage
        self._tail = b',"usage":null}\n\n' if include_usage else b"}\n\n"
        self._echo = echo
        self._offsets: dict[int, int] = {}  # candidate -> characters sent
        self._refused: set[int] = set()
        self._held: dict[int, Fields] = {}  # candidate -> its last piece, which tells the reason too
        self._usage: Usage | None = None
        self._done = False
        self._cache()

    def _cache(self) -> None:
        """What surrounds the text of candidate 0 in the ordinary event."""
        self._before = b"data: " + _json(self._head)[:-1] + b',"choices":['
        self._after = b',"index":0,"logprobs":null,"finish_reason":null}]' + self._tail

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        out: list[bytes] = []
        offsets = self._offsets
        for chunk in batch:
            if self._done:
                break
            if (
                type(chunk) is TextDelta
                and chunk.vendor is None
                and not chunk.tokens
                and not chunk.candidate
                and 0 in offsets
            ):
                offsets[0] += len(chunk.text)
                out.append(b'%b{"text":%b%b' % (self._before, _json(chunk.text), self._after))
            else:
                self._other(chunk, out)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _other(self, chunk: Chunk, out: list[bytes]) -> None:
        match chunk:
            case TextDelta() | RefusalDelta() | TranscriptDelta():
                self._said(chunk, out)
            case Start():
                self._start(chunk)
            case UsageReport():
                self._usage = chunk.usage
            case CandidateEnd():
                self._candidate_end(chunk, out)
            case VendorPart():
                kept = own(chunk.part)
                if kept:
                    body = {**self._head, **{name: kept[name] for name in kept if name not in self._head}}
                    out.append(b"data: " + _json({**body, "choices": []})[:-1] + self._tail)
            case Finish() | Failure() | Cancelled():
                self._terminal(chunk, out)

    def _said(self, chunk: TextDelta | RefusalDelta | TranscriptDelta, out: list[bytes]) -> None:
        match chunk:
            case TextDelta():
                self._text(chunk.candidate, chunk.text, chunk.tokens, chunk.vendor, out)
            case RefusalDelta():
                self._refused.add(chunk.candidate)
                self._text(chunk.candidate, chunk.refusal, chunk.tokens, chunk.vendor, out)
            case TranscriptDelta():
                if chunk.committed:
                    self._text(chunk.candidate, chunk.text, (), None, out)

    def _start(self, start: Start) -> None:
        head = self._head
        head["id"] = head["id"] or start.id
        head["model"] = head["model"] or start.model
        head["created"] = head["created"] or start.created_s
        head.update({name: value for name, value in own(start.vendor).items() if name not in head})
        self._cache()

    def _text(
        self, candidate: int, text: str, tokens: tuple[Token, ...], vendor: Opaque | None, out: list[bytes]
    ) -> None:
        self._open(candidate, out)
        kept = dict(own(vendor))
        offsets = kept.pop("text_offset", None)
        with_reason = kept.pop(WITH_REASON, False)
        logprobs = None
        tokens = answer_tokens(tokens)
        if tokens:
            logprobs = logprobs_body(tokens, offsets or _offsets(self._offsets[candidate], tokens))
        self._offsets[candidate] += len(text)
        piece = {**kept, **_piece(text, candidate, logprobs, None)}
        if with_reason:
            self._held[candidate] = piece
        else:
            out.append(self._choice(piece))

    def _open(self, candidate: int, out: list[bytes]) -> None:
        """Before a candidate's first piece: what is to be echoed."""
        if candidate not in self._offsets:
            self._offsets[candidate] = len(self._echo)
            if self._echo:
                out.append(self._choice(_piece(self._echo, candidate, None, None)))

    def _candidate_end(self, chunk: CandidateEnd, out: list[bytes]) -> None:
        self._open(chunk.candidate, out)
        word = reason_word(chunk.finish_reason)
        if chunk.candidate in self._refused and word == "stop":
            word = "content_filter"
        piece = self._held.pop(chunk.candidate, None) or _piece("", chunk.candidate, None, None)
        out.append(self._choice({**own(chunk.vendor), **piece, "finish_reason": word}))

    def _choice(self, choice: Fields) -> bytes:
        return b"%b%b]%b" % (self._before, _json(choice), self._tail)

    def _terminal(self, chunk: Finish | Failure | Cancelled, out: list[bytes]) -> None:
        self._done = True
        out += [self._choice(piece) for piece in self._held.values()]
        if isinstance(chunk, Finish):
            if self._include_usage and self._usage is not None:
                out.append(b'%b],"usage":%b}\n\n' % (self._before, _json(usage_body(self._usage))))
            out.append(DONE)
            return
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        out.append(error_event(chunk))


def completion_body(reply: Reply, says: Says, *, echo: str = "") -> bytes:
    """The `text_completion` object for a reply that ended well; a failed one has `error_body` instead."""
    body: Fields = {
        "id": says.id or reply.id,
        "object": "text_completion",
        "created": says.created_s or reply.created_s,
        "model": says.model or reply.model,
        "choices": [_whole(index, one, echo) for index, one in enumerate(reply.candidates)],
    }
    if reply.usage is not None:
        body["usage"] = usage_body(reply.usage)
    for opaque in reply.vendor:
        body.update({name: value for name, value in own(opaque).items() if name not in body})
    return _json(body)


def _whole(index: int, candidate: Candidate, echo: str) -> Fields:
    word = reason_word(candidate.finish_reason or "stop")
    tokens = answer_tokens(candidate.tokens)
    if candidate.refusal:
        tokens = (*tokens, *answer_tokens(candidate.refusal_tokens))
        word = "content_filter" if word == "stop" else word
    logprobs = logprobs_body(tokens, _offsets(len(echo), tokens)) if tokens else None
    text = candidate.text + candidate.transcript + candidate.refusal
    return _piece(echo + text, index, logprobs, word)


def _piece(text: str, index: int, logprobs: Fields | None, reason: str | None) -> Fields:
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": reason}


def _offsets(start: int, tokens: Sequence[Token]) -> list[int]:
    return list(accumulate((len(token.text) for token in tokens[:-1]), initial=start))
