"""One event that is not an ordinary one: odd but readable, an error in disguise, or broken."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.wire.failing import broken
from headrace.wire.openai_completions.schema import Choice, CompletionBody
from headrace.wire.openai_error import failure_from_event
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE, sift

Fields = dict[str, Any]


class Extras(msgspec.Struct, gc=False):
    """Fields that we do not know: of the event, and of its choices by their place."""

    body: Fields = msgspec.field(default_factory=dict)
    choices: dict[int, Fields] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.body or self.choices)


def read_oddly(data: bytes, name: str, number: int) -> tuple[CompletionBody, Extras] | Failure:
    """The `number`-th event, called `name`, read as plain data; or the failure that it is."""
    try:
        parsed = read_plain(data)
    except UNREADABLE as error:
        if name == "error":
            return failure_from_event(data.decode("utf-8", "replace"), data)
        return broken(data, number, f"not valid JSON ({error})")
    if name == "error" or (isinstance(parsed, dict) and _is_error(parsed)):
        return failure_from_event(parsed, data)
    if not isinstance(parsed, dict):
        return broken(data, number, "not a JSON object")
    try:
        return _read(parsed)
    except UNREADABLE as error:
        return broken(data, number, str(error))


def _read(data: Fields) -> tuple[CompletionBody, Extras]:
    known, extra = sift(data, CompletionBody)
    extras = Extras(extra)
    choices = known.get("choices")
    if isinstance(choices, list):
        known["choices"] = [
            _choice(at, choice, extras) if isinstance(choice, dict) else choice
            for at, choice in enumerate(choices)
        ]
    return msgspec.convert(known, CompletionBody), extras


def _choice(at: int, choice: Fields, extras: Extras) -> Fields:
    known, extra = sift(choice, Choice)
    extra = {name: value for name, value in extra.items() if value is not None}
    if extra:
        extras.choices[at] = extra
    return known


def _is_error(data: Fields) -> bool:
    if data.get("error"):
        return True
    return data.get("choices") is None and (
        data.get("object") == "error" or "detail" in data or "message" in data
    )
