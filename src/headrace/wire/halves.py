r"""JSON with half a character in it: `\ud83d` without the `\ude00` that belongs to it.

Tokenizers that cut a character in two make vendors send its halves in two events. Python and JavaScript read
such JSON; our fast reader does not, and no half can be written as UTF-8. Here it is read, and mended.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

import msgspec

from headrace.wire.plain import read_plain, shallow

_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


def read_mended(data: bytes) -> Any:
    """The JSON as data without halves. Raises what msgspec raises where halves are not what is wrong."""
    try:
        return read_plain(data)
    except msgspec.DecodeError:
        raw = with_halves(data.decode("utf-8", "replace"))
        if raw is None:
            raise
    return mended(raw)


def with_halves(text: str) -> Any:
    """The JSON as data whose texts may hold halves; None where halves are not what is wrong with it."""
    if _ESCAPE.search(text) is None:
        return None
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_number)
        return shallow(value, len(text))
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None


def mended(value: Any) -> Any:
    """The same data with halves that stand together joined, and U+FFFD for each that stands alone."""
    if isinstance(value, str):
        return value if _HALF.search(value) is None else _mended(value)
    if isinstance(value, dict):
        return {mended(name): mended(one) for name, one in value.items()}
    if isinstance(value, list):
        return [mended(one) for one in value]
    return value


def ends_in_half(text: str) -> bool:
    """Whether the last character is the first half of one."""
    return "\ud800" <= text[-1:] <= "\udbff"


def _mended(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")
