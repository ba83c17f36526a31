"""Reading a client's JSON body into Structs, with errors that name the field; shared by the wires."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from typing import Any, TypeVar

import msgspec

from headrace.core.excerpt import excerpt
from headrace.core.request import RANGES
from headrace.errors import RequestError
from headrace.wire.plain import read_plain

T = TypeVar("T")
Fields = dict[str, Any]

# What reading JSON may raise, whatever the bytes: bad JSON or types, bad UTF-8, nesting beyond the stack.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
MAX_QUOTED_CHARS = 80

_AT = re.compile(r"^(.*) - at `(.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MISSING = re.compile(r"missing required field `(.+)`")
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def read_body(body: bytes, kind: type[T]) -> tuple[T, Fields]:
    """The body as `kind`, and as plain data for what `kind` does not know.

    Raises RequestError that names the field (or, for broken JSON, the place).
    """
    data = read_object(body)
    return read_fields(data, kind), data


def read_fields(data: Any, kind: type[T], under: str = "") -> T:
    """Plain data as `kind`. under: where in the body it stands, such as "messages.0".

    Raises RequestError that names the field.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _wrong_type(str(error), data, under) from None


def read_object(body: bytes) -> Fields:
    """The body as plain data. Raises RequestError where it is no JSON object."""
    try:
        data = read_plain(body)
    except UNREADABLE as error:
        why = _half_of_a_pair(body) or f"the body is not valid JSON: {error}"
        raise RequestError(why, code="invalid_json") from None
    if not isinstance(data, dict):
        raise RequestError("the body must be a JSON object", code="invalid_json", value=data)
    return data


def _half_of_a_pair(body: bytes) -> str:
    """What to say where an escape is half of a character, empty where none is: the parser's words mislead."""
    half = _HALF.search(_PAIR.sub("", body.decode("utf-8", "replace")))
    if half is None:
        return ""
    return f"the body is not valid JSON: {half[0]} is half of a surrogate pair, a character cut in two"


def sift(data: Fields, kind: type[msgspec.Struct]) -> tuple[Fields, Fields]:
    """(the fields that `kind` knows, the others)."""
    names = kind.__struct_encode_fields__
    known = {name: value for name, value in data.items() if name in names}
    return known, {name: value for name, value in data.items() if name not in names}


def check_ranges(values: Fields, under: str = "") -> None:
    """Raise RequestError for the first value outside its range (`RANGES`); under: the field's prefix."""
    for name, value in values.items():
        in_range(f"{under}{name}", value, *RANGES[name])


def in_range(field: str, value: float | None, low: float, high: float) -> None:
    """Raise RequestError where a value is given and lies outside `low` to `high`."""
    if value is not None and not low <= value <= high:
        said = f"{field}: must be between {_number(low)} and {_number(high)} (it is {_number(value)})"
        raise RequestError(said, field=field, value=value)


def at_least(field: str, value: int | None, low: int) -> None:
    """Raise RequestError where a value is given and is below `low`."""
    if value is not None and value < low:
        raise RequestError(
            f"{field}: must be at least {low} (it is {_number(value)})", field=field, value=value
        )


def _number(value: float) -> str:
    """A number as people read it: of a whole one the digits, however many, up to a readable length."""
    return excerpt(str(value)) if isinstance(value, int) else f"{value:g}"


def base64_bytes(data: str, field: str) -> bytes:
    """The bytes behind base64 text. Raises RequestError that names `field`."""
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{field}: not valid base64 ({error})", field=field, value=data[:80]) from None


def quoted(value: Any) -> str:
    """The value as JSON, cut to a readable length."""
    return excerpt(msgspec.json.encode(value).decode(), MAX_QUOTED_CHARS)


def _wrong_type(said: str, data: Any, under: str) -> RequestError:
    found = _AT.match(said)
    why, path = (found[1], found[2]) if found else (said, "$")
    steps: list[str | int] = [name or int(index) for name, index in _STEP.findall(path)]
    missing = _MISSING.search(why)
    if missing:
        steps.append(missing[1])
    field = ".".join([under] * bool(under) + [str(step) for step in steps])
    if missing:
        return RequestError(f"{field}: is missing", field=field)
    value = _value(data, steps)
    why = excerpt(why[:1].lower() + why[1:], MAX_QUOTED_CHARS)  # it may quote the value itself
    return RequestError(f"{field}: {why} (it is {quoted(value)})", field=field, value=value)


def _value(data: Any, steps: list[str | int]) -> Any:
    for step in steps:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return None
    return data
