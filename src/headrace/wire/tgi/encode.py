"""Chunks -> the events of a streamed answer.

The protocol is a list of tokens and the text they make: a refusal goes out as text, and so does what sound
says; reasoning, tool calls, sound itself, images, citations and candidates beyond the first have no place in
the vendor's schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import (
    Cancelled,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    RefusalDelta,
    TextDelta,
    Token,
    TranscriptDelta,
    UsageReport,
    VendorPart,
    answer_tokens,
)
from headrace.core.opaque import Opaque
from headrace.core.usage import Usage
from headrace.errors import StreamCancelledException, Truncated
from headrace.wire.kept import own_of
from headrace.wire.tgi.failure import error_event
from headrace.wire.tgi.finish import reason_word
from headrace.wire.tgi.schema import WIRE_NAME
from headrace.wire.tgi.token import token_body, top_bodies
from headrace.wire.tgi.usage import seed_of

Fields = dict[str, Any]
_json = msgspec.json.encode
_NO_TOKEN = Token("", special=True)


class TgiEncoder:
    """A stage: chunks -> SSE bytes, one event a token, the last with `generated_text`.

    wanted: `details` (the last event tells them), `full_text` (the prompt that `generated_text` begins with).
    A source that does not tell its tokens gives one event a piece of text, with id 0 and no log probability,
    and ends with an empty special token. Counts that the source does not tell are the events sent, and 0 for
    the prompt: the schema has no null there.
    """

    __slots__ = ("_details", "_done", "_held", "_index", "_more", "_reason", "_text", "_usage")

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self._details = bool(wanted.get("details"))
        self._text: list[str] = [wanted.get("full_text") or ""]
        self._index = 0
        self._held: Fields | None = None  # the last token's event, which tells the end too
        self._more: Fields = {}  # what its details told besides
        self._reason = "eos_token"
        self._usage: Usage | None = None
        self._done = False

    def feed(self, batch: Sequence[Chunk]) -> list[bytes]:
        """The events for `batch`."""
        out: list[bytes] = []
        for chunk in batch:
            if self._done:
                break
            match chunk:
                case TextDelta() if not chunk.candidate:
                    self._said(chunk.text, chunk.tokens, chunk.vendor, out)
                case RefusalDelta() if not chunk.candidate:
                    self._said(chunk.refusal, chunk.tokens, chunk.vendor, out)
                case TranscriptDelta() if chunk.committed and not chunk.candidate:
                    self._said(chunk.text, (), None, out)
                case UsageReport():
                    self._usage = chunk.usage
                case VendorPart():
                    own = own_of(chunk.part, WIRE_NAME)
                    out += [_event(own)] if own else []
                case CandidateEnd() if not chunk.candidate:
                    self._reason = reason_word(chunk.finish_reason)
                case Finish() | Failure() | Cancelled():
                    self._terminal(chunk, out)
        return out

    def close(self) -> list[bytes]:
        """An input without a terminal is reported to the client as truncated."""
        if self._done:
            return []
        return self.feed([Failure.of(Truncated("the source ended without a terminal"))])

    def _said(self, text: str, tokens: tuple[Token, ...], vendor: Opaque | None, out: list[bytes]) -> None:
        own = own_of(vendor, WIRE_NAME)
        self._text.append(text)
        if len(tokens) == 1 or (tokens and "".join(one.text for one in answer_tokens(tokens)) == text):
            for token in tokens:
                self._token(token, own, out)
        elif text:
            self._token(Token(text), own, out)

    def _token(self, token: Token, own: Fields, out: list[bytes]) -> None:
        self._index += 1
        body = {**own.get("token", {}), **token_body(token)}
        event: Fields = {"index": own.get("index", self._index), "token": body}
        if token.top:
            event["top_tokens"] = top_bodies(token, own)
        event.update({name: value for name, value in own.items() if name not in _PLACED})
        if own.get("last"):
            self._more = own.get("details", {})
            self._held = event
        else:
            out.append(_event({**event, "generated_text": None, "details": None}))

    def _terminal(self, chunk: Finish | Failure | Cancelled, out: list[bytes]) -> None:
        self._done = True
        held = self._held
        if isinstance(chunk, Finish):
            if held is None:
                self._index += 1
                held = {"index": self._index, "token": token_body(_NO_TOKEN)}
                self._index -= 1
            details = self._details_body() if self._details else None
            out.append(_event({**held, "generated_text": "".join(self._text), "details": details}))
            return
        if held is not None:
            out.append(_event({**held, "generated_text": None, "details": None}))
        if isinstance(chunk, Cancelled):
            chunk = Failure.of(StreamCancelledException(chunk.why or "the stream was cancelled"))
        out.append(error_event(chunk))

    def _details_body(self) -> Fields:
        usage = self._usage
        return {
            **self._more,
            "finish_reason": self._reason,
            "generated_tokens": usage.output_tokens if usage is not None else self._index,
            "input_length": usage.input_tokens if usage is not None else 0,
            "seed": seed_of(usage),
        }


_PLACED = frozenset({"index", "token", "top_tokens", "details", "last"})


def _event(event: Fields) -> bytes:
    return b"data: " + _json(event) + b"\n\n"
