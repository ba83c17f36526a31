"""A whole response, of whatever form people have it in, -> the chunks of the same response streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
)
from headrace.core.reply import Reply
from headrace.core.stage import Stage
from headrace.errors import RequestError
from headrace.sessions.managed.chunking import TokenChunker
from headrace.wire.terminator import DONE

Decoder: TypeAlias = Callable[[], Stage[bytes, Chunk]]
Body: TypeAlias = dict[str, Any]
# The field of each kind of delta that is text, and may be given in pieces.
_TEXTS = {TextDelta: "text", ReasoningDelta: "reasoning", RefusalDelta: "refusal", ToolCallDelta: "arguments"}
_ENDS: Sequence[Chunk] = (CandidateEnd("stop"), Finish())
_TOKENS = TokenChunker()


def said(text: str) -> Sequence[Chunk]:
    """A text as a whole answer."""
    return (BlockStart(0, "text"), TextDelta(0, text), BlockEnd(0), *_ENDS)


def decoded(events: Sequence[Body], decoder: Decoder) -> Sequence[Chunk]:
    """An answer as events of a wire's."""
    reads = decoder()
    told = [b"data: %b\n\n" % msgspec.json.encode(event) for event in events]
    return [*reads.feed([*told, DONE]), *reads.close()]


def as_chat_events(body: Body) -> Sequence[Body]:
    """OpenAI's `chat.completion`: an event has deltas where it has messages, and numbers the calls."""
    return [{**body, "choices": [_as_delta(choice) for choice in _choices(body)]}]


def as_completion_events(body: Body) -> Sequence[Body]:
    """OpenAI's `text_completion` is of one form, streamed or whole; the reasons come after all texts."""
    choices = _choices(body)
    texts = [_part(choice, finish_reason=None, logprobs=_offsets_left_out(choice)) for choice in choices]
    ends = [_part(choice, text="", logprobs=None) for choice in choices]
    return [{**body, "choices": texts}, {**body, "choices": ends}]


def _part(choice: Any, **changes: Any) -> Any:
    return {**choice, **changes} if isinstance(choice, Mapping) else choice


def _offsets_left_out(choice: Any) -> Any:
    """The log probabilities without the places of all tokens: each piece's are counted anew."""
    logprobs = choice.get("logprobs") if isinstance(choice, Mapping) else None
    return _part(logprobs, text_offset=None)


def _choices(body: Body) -> list[Any]:
    choices = body.get("choices")
    if not isinstance(choices, list):
        said = "full_response.choices: must be a list, as in a response of OpenAI's; or give the text itself"
        raise RequestError(said, field="full_response.choices", value=choices)
    return choices


def _as_delta(choice: Any) -> Any:
    if not isinstance(choice, Mapping) or not isinstance(choice.get("message"), Mapping):
        return choice
    delta = dict(choice["message"])
    if isinstance(delta.get("tool_calls"), list):
        delta["tool_calls"] = [
            {"index": at, **call} if isinstance(call, Mapping) else call
            for at, call in enumerate(delta["tool_calls"])
        ]
    return {**{name: value for name, value in choice.items() if name != "message"}, "delta": delta}


def body_of(full_response: Any) -> Body:
    """A response of a vendor's client, or its JSON, as a mapping. Raises RequestError for anything else."""
    if isinstance(full_response, Mapping):
        return dict(full_response)
    if hasattr(full_response, "model_dump"):
        body: Body = full_response.model_dump(mode="json", exclude_none=True)
        return body
    raise refused(full_response, "a text, a Reply, a mapping or a response of OpenAI's client")


def sound_of(full_response: Any, piece_bytes: int) -> Sequence[Chunk]:
    """Sound as bytes, of a Reply, or of anything with `audio` (and `transcript`, which goes first)."""
    if isinstance(full_response, (bytes, bytearray, memoryview)):
        audio, transcript = bytes(full_response), ""
    elif isinstance(full_response, Reply):
        first = full_response.candidates[0] if full_response.candidates else None
        audio = first.audio.data if first is not None and first.audio is not None else b""
        transcript = (first.transcript or first.text) if first is not None else ""
    else:
        audio, transcript = _read(full_response, "audio", b""), _read(full_response, "transcript", "")
    if not isinstance(audio, bytes) or not isinstance(transcript, str) or not (audio or transcript):
        raise refused(full_response, "bytes of sound, a Reply with sound, or an object with `audio` as bytes")
    heard = [TranscriptDelta(0, transcript)] if transcript else []
    sound = [AudioDelta(1, audio[at : at + piece_bytes]) for at in range(0, len(audio), piece_bytes)]
    return (*heard, *sound, *_ENDS)


def _read(value: Any, name: str, otherwise: Any) -> Any:
    found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return otherwise if found is None else found


def refused(full_response: Any, takes: str) -> RequestError:
    """A form that is not taken."""
    kind = type(full_response).__name__
    return RequestError(
        f"full_response: {kind} is none of the forms taken: give {takes}", field="full_response", value=kind
    )


def token_by_token(chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """The same with its texts in tokens: the model's own where they are told, else words and marks."""
    for chunk in chunks:
        field = _TEXTS.get(type(chunk), "")
        text: str = getattr(chunk, field) if field else ""
        if not text:
            yield chunk
        elif tokens := getattr(chunk, "tokens", ()):
            whole = "".join(token.text for token in tokens) == text
            pieces = ({field: token.text, "tokens": (token,)} for token in tokens) if whole else ({},)
            yield from _pieces(chunk, pieces)
        else:
            yield from _pieces(chunk, ({field: token} for token in _TOKENS.each_token(text)))


def _pieces(chunk: Any, changes: Any) -> Iterator[Chunk]:
    """`chunk` with each of the changes; what its vendor said stays with the first."""
    for change in changes:
        yield msgspec.structs.replace(chunk, **change)
        chunk = msgspec.structs.replace(chunk, vendor=None) if chunk.vendor is not None else chunk
