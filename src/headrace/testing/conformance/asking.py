"""Checks of requests: a client's body, parsed and built again, asks the same."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.errors import RequestError
from headrace.testing.conformance.case import ClientBody, WireCase
from headrace.testing.conformance.reading import fault, objects, short
from headrace.testing.conformance.tolerance import GARBAGE, as_json, mistyped


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
