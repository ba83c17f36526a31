"""The arguments of a tool call: text with us, an object with some vendors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE

Fields = dict[str, Any]

# The arguments of a call without any: an object, never nothing.
NO_ARGUMENTS = "{}"


def tool_input(arguments: str) -> Fields:
    """A call's arguments as the object that a vendor wants; what is no object is kept beneath a name."""
    if not arguments.strip():
        return {}
    try:
        parsed = read_plain(arguments)
    except UNREADABLE:
        return {"_arguments": arguments}
    return parsed if isinstance(parsed, dict) else {"_arguments": parsed}


def is_whole(arguments: Iterable[str]) -> bool:
    """Whether a call's arguments so far are a complete JSON object, so that nothing can follow."""
    text = "".join(arguments)
    if not text.lstrip().startswith("{"):
        return False
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except UNREADABLE:
        return False
    return True
