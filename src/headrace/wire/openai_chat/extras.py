"""Chunks with fields we do not model: read leniently, everything unknown kept.

The ordinary chunk is decoded straight into `ChunkBody`. One that does not fit comes here, is taken apart as
plain data, and what our Structs do not know is set aside: per chunk, per candidate and per tool call.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.wire.openai_chat.schema import (
    Audio,
    Choice,
    ChunkBody,
    Delta,
    Function,
    LogProbs,
    ToolCall,
)

Fields = dict[str, Any]

# Without these a chunk cannot be understood: of the wrong type they break the wire. Others become extras.
_VITAL = frozenset(
    {"choices", "delta", "index", "finish_reason", "content", "tool_calls", "function", "usage"}
)


class Extras(msgspec.Struct, gc=False):
    """What was set aside. choices: by position in the chunk; calls: (choice, call) positions."""

    chunk: Fields = msgspec.field(default_factory=dict)
    choices: dict[int, Fields] = msgspec.field(default_factory=dict)
    calls: dict[tuple[int, int], Fields] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.chunk or self.choices or self.calls)


def read_leniently(data: Fields) -> tuple[ChunkBody, Extras]:
    """The chunk, and what did not fit. Raises msgspec.ValidationError for a vital field of a wrong type."""
    try:
        return _Sieve(careful=False).read(data)
    except msgspec.ValidationError:
        return _Sieve(careful=True).read(data)


class _Sieve:
    """Takes one chunk apart. careful: set aside known fields of a wrong type too, not only unknown ones."""

    def __init__(self, careful: bool) -> None:
        self._careful = careful
        self._extras = Extras()

    def read(self, data: Fields) -> tuple[ChunkBody, Extras]:
        known, self._extras.chunk = self._sift(data, ChunkBody)
        choices = known.get("choices")
        if isinstance(choices, list):
            known["choices"] = [
                self._choice(at, choice) if isinstance(choice, dict) else choice
                for at, choice in enumerate(choices)
            ]
        return msgspec.convert(known, ChunkBody, strict=False), self._extras

    def _choice(self, at: int, choice: Fields) -> Fields:
        known, odd = self._sift(choice, Choice)
        logprobs = known.get("logprobs")
        if isinstance(logprobs, dict):
            known["logprobs"], _ = self._sift(logprobs, LogProbs)  # what else it says belongs to no token
        delta = known.get("delta")
        if isinstance(delta, dict):
            odd.pop("message", None)  # the same text again, cumulative (seen at Perplexity)
            known["delta"], odd_delta = self._sift(delta, Delta)
            audio = known["delta"].get("audio")
            if isinstance(audio, dict):
                known["delta"]["audio"], odd_audio = self._sift(audio, Audio)
                if odd_audio:
                    odd_delta["audio"] = odd_audio
            if odd_delta:
                odd["delta"] = odd_delta
            calls = known["delta"].get("tool_calls")
            if isinstance(calls, list):
                known["delta"]["tool_calls"] = [
                    self._call((at, place), call) if isinstance(call, dict) else call
                    for place, call in enumerate(calls)
                ]
        if odd:
            self._extras.choices[at] = odd
        return known

    def _call(self, place: tuple[int, int], call: Fields) -> Fields:
        known, odd = self._sift(call, ToolCall)
        function = known.get("function")
        if isinstance(function, dict):
            known["function"], odd_function = self._sift(function, Function)
            if odd_function:
                odd["function"] = odd_function
        if odd:
            self._extras.calls[place] = odd
        return known

    def _sift(self, data: Fields, struct: type[msgspec.Struct]) -> tuple[Fields, Fields]:
        """Fields of `data` that `struct` takes, and the rest."""
        types = _TYPES[struct]
        known: Fields = {}
        odd: Fields = {}
        for name, value in data.items():
            if name in types and (not self._careful or name in _VITAL or _fits(value, types[name])):
                known[name] = value
            else:
                odd[name] = value
        return known, odd


_TYPES: dict[type[msgspec.Struct], dict[str, Any]] = {
    struct: {field.name: field.type for field in msgspec.structs.fields(struct)}
    for struct in (ChunkBody, Choice, Delta, ToolCall, Function, Audio, LogProbs)
}


def _fits(value: Any, kind: Any) -> bool:
    if value is None:
        return True
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return False
    return True
