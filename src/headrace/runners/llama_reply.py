"""The llama.cpp engine's events -> text with its tokens. Pure: what must be asked of the engine is a value.

The engine holds text back for two reasons: a character whose bytes are spread over several tokens, and text
that may turn out to be a stop text. Its events then tell ids without text, or leave tokens out. `Segments`
puts text and tokens together again; a `Segment` of several tokens needs the engine's tokenizer to say which
token has which part (see `share`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headrace.core.chunk import CandidateEnd, FinishReason, Token
from headrace.core.usage import Usage


class Entry(msgspec.Struct, frozen=True):
    """One sampled token as far as the engine told: id -1 where it left the token out."""

    id: int = -1
    logprob: float | None = None
    top: tuple[Token, ...] = ()


class Segment(msgspec.Struct, frozen=True):
    """Text that became certain at once, and the tokens it came from."""

    text: str
    entries: tuple[Entry, ...]


class Segments:
    """The engine's events in order -> segments. top: likeliest tokens to keep beside each token."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._held: list[Entry] = []
        self._predicted = 0

    def feed(self, event: Mapping[str, Any]) -> Segment | None:
        """One event that is not the last."""
        if "prompt_progress" in event:
            return None
        predicted = event["tokens_predicted"]
        self._held += [Entry()] * (predicted - self._predicted - 1)
        if predicted > self._predicted:
            self._held.append(self._entry(event))
        self._predicted = predicted
        if not event["content"]:
            return None
        held, self._held = self._held, []
        return Segment(event["content"], tuple(held))

    def rest(self, event: Mapping[str, Any]) -> tuple[Entry, ...]:
        """Tokens still held back at the last event whose text the engine forgot: only at a length limit."""
        return tuple(self._held) if event.get("stop_type") == "limit" else ()

    def _entry(self, event: Mapping[str, Any]) -> Entry:
        told = event.get("completion_probabilities")
        if not told:
            return Entry(event["tokens"][0] if event.get("tokens") else -1)
        first = told[0]
        top = tuple(_token(other) for other in first["top_logprobs"][: self._top])
        return Entry(first["id"], first["logprob"], top)


def _token(told: Mapping[str, Any]) -> Token:
    text, raw = _text_or_raw(bytes(told["bytes"]))
    return Token(text, told["id"], told["logprob"], raw)


def _text_or_raw(data: bytes) -> tuple[str, bytes | None]:
    """A token's text, or its bytes where they are part of a character."""
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return "", data


def share(segment: Segment, pieces: Sequence[tuple[int, bytes]]) -> tuple[Token, ...]:
    """The segment's tokens. pieces: (id, bytes) of the segment's text by the engine's own tokenizer.

    They are used where they agree with every id the engine told; else the text stays whole on the last token
    and what the engine did not tell stays unknown.
    """
    entries = segment.entries
    if len(entries) == 1:
        return (Token(segment.text, _known(entries[0]), entries[0].logprob, top=entries[0].top),)
    agree = len(pieces) == len(entries) and all(
        entry.id in (-1, id) for entry, (id, _) in zip(entries, pieces, strict=True)
    )
    if not agree:
        last = len(entries) - 1
        return tuple(
            Token(segment.text if at == last else "", _known(entry), entry.logprob, top=entry.top)
            for at, entry in enumerate(entries)
        )
    tokens = []
    for entry, (id, data) in zip(entries, pieces, strict=True):
        text, raw = _text_or_raw(data)
        tokens.append(Token(text, id, entry.logprob, raw, entry.top))
    return tuple(tokens)


def _known(entry: Entry) -> int | None:
    return None if entry.id == -1 else entry.id


def ending(event: Mapping[str, Any]) -> tuple[CandidateEnd, Usage]:
    """How the reply ended, and its exact token counts, from the engine's last event."""
    word = event.get("stopping_word") or ""
    stop_type = event.get("stop_type") or ""
    reasons: dict[str, FinishReason] = {"eos": "stop", "limit": "length", "word": "stop_sequence"}
    cached = (event.get("timings") or {}).get("cache_n") or 0
    usage = Usage(event["tokens_evaluated"], event["tokens_predicted"], cached_input_tokens=cached)
    return CandidateEnd(reasons.get(stop_type, "stop"), stop_type, word), usage
