"""Checks of requests: a client's body, parsed and built again, asks the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from headrace.errors import RequestError
from headrace.testing.conformance.case import ClientBody, WireCase
from headrace.testing.conformance.reading import fault, objects, short
from headrace.testing.conformance.tolerance import GARBAGE, as_json, mistyped

MAX_SAID = 200
MAX_SAID_CHARS = 500
_LONG = "A" * 20_000
_HUGE = 10**4000  # as long as a number may be that is read
_MANY = [f"x{number}" for number in range(2_000)]


def same_request(case: WireCase, asked: ClientBody) -> None:
    """Parsed and built again, the body is the same JSON, or what was declared; all else is warned of."""
    front = case.served
    assert front is not None
    parsed = front.parse(asked.body, asked.path)
    built = case.wire.build(parsed.request, asked.quirks)
    expected = _json(asked.becomes if asked.becomes is not None else asked.body)
    got = _json(built.body)
    if got != expected:
        raise fault(f"the request became {_first_difference(got, expected)}", built.body)
    warnings = [*parsed.warnings, *built.warnings]
    if len(warnings) != len(asked.warns) or not all(
        word in said for word, said in zip(asked.warns, warnings, strict=False)
    ):
        raise fault(f"the warnings are {warnings}, expected were {list(asked.warns)}", asked.body)


def bad_requests(case: WireCase, asked: ClientBody) -> None:
    """A body that is cut, is garbage, or holds a wrong type is parsed or a RequestError, and nothing else."""
    solid = asked.body.rstrip()
    bodies = [(f"cut at byte {at}", solid[:at]) for at in range(len(solid))]
    bodies += [(short(bad), bad) for bad in GARBAGE]
    bodies += [(f"another {path}", as_json(body)) for path, body in mistyped(_json(asked.body))]
    for where, body in bodies:
        try:
            _parse_and_build(case, asked, body)
        except RequestError as error:
            if not error.message:
                raise fault(f"{where}: the RequestError says nothing", body) from error
        except Exception as error:
            raise fault(f"{where}: parse or build raised {error!r}", body) from error
        else:
            if where.startswith("cut"):
                raise fault(f"{where}: a body that is cut was taken for whole", body)


def long_values(case: WireCase, asked: ClientBody) -> None:
    """A client's text or name of any length, anywhere, is quoted by its beginning alone, and so are many."""
    for where, body in swollen(_json(asked.body)):
        said: tuple[str, ...] = ()
        try:
            said = _warnings(case, asked, as_json(body))
        except RequestError as error:
            said = (error.message, error.field)
        longest = max((len(one) for one in said), default=0)
        if longest > MAX_SAID_CHARS or len(said) > MAX_SAID:
            raise fault(f"{where}: {len(said)} things are said, the longest in {longest} characters")


def swollen(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one text or name after the other made very long, and with very many names."""
    for path, found in objects(value):
        for name, one in found.items():
            for new in (_LONG, one + _LONG if isinstance(one, str) else [_LONG], {_LONG: _LONG}, _HUGE):
                yield _at(path, name), _changed(value, path, {**found, name: new})
        yield f"{path} and a long name", _changed(value, path, {**found, _LONG: {"a": 1}})
        yield f"{path} and many names", _changed(value, path, {**found, **dict.fromkeys(_MANY, "x")})


def _warnings(case: WireCase, asked: ClientBody, body: bytes) -> tuple[str, ...]:
    front = case.served
    assert front is not None
    parsed = front.parse(body, asked.path)
    return (*parsed.warnings, *case.wire.build(parsed.request, asked.quirks).warnings)


def _changed(value: Any, path: str, new: dict[str, Any]) -> Any:
    """The value with the object at that path exchanged."""
    step, _, rest = path.partition(".")
    if not step:
        return new
    if isinstance(value, list):
        place = int(step)
        return [*value[:place], _changed(value[place], rest, new), *value[place + 1 :]]
    return {**value, step: _changed(value[step], rest, new)}


def _at(path: str, name: str) -> str:
    return f"{path}.{name}".lstrip(".")


def _parse_and_build(case: WireCase, asked: ClientBody, body: bytes) -> None:
    front = case.served
    assert front is not None
    case.wire.build(front.parse(body, asked.path).request, asked.quirks)


def _json(body: bytes) -> Any:
    """The body as data; as it is where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body


def _first_difference(got: Any, expected: Any) -> str:
    """Where two values differ first, by path."""
    theirs = dict(objects(expected))
    for path, ours in objects(got):
        for name in {**ours, **theirs.get(path, {})}:
            before, after = theirs.get(path, {}).get(name, "nothing"), ours.get(name, "nothing")
            if before != after and not isinstance(after, (dict, list)):
                at = f"{path}.{name}".lstrip(".")
                return f"{at} = {short(after)}, it was {short(before)}"
    return f"{short(got)}, it was {short(expected)}"
