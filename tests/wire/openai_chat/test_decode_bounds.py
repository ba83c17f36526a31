"""What a decoder keeps is bounded, whatever is sent; what it does not keep it still passes on."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from tests.wire.openai_chat.events import DONE, delta, event

from headrace.core.chunk import Failure, Finish, Start, VendorPart
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder
from headrace.wire.openai_chat.candidate import MAX_NAME_CHARS, MAX_OPEN_CALLS, MAX_WAITING_BYTES
from headrace.wire.sticky import MAX_FIELDS, MAX_VALUE_BYTES

CHOICE = [{"index": 0, "delta": {"content": "x"}}]


def held_bytes(thing: Any, seen: set[int] | None = None) -> int:
    """What `thing` and all it refers to take, modules and classes aside."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type) or callable(thing):
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    if isinstance(thing, dict):
        size += sum(held_bytes(one, seen) for pair in thing.items() for one in pair)
    elif isinstance(thing, list | tuple | set):
        size += sum(held_bytes(one, seen) for one in thing)
    for kind in type(thing).__mro__:
        for name in getattr(kind, "__slots__", ()):
            size += held_bytes(getattr(thing, name, None), seen)
    return size


def vendor_parts(out: list[Any]) -> list[Any]:
    return [one.part.data for one in out if isinstance(one, VendorPart)]


def test_fields_with_ever_new_names_are_passed_on_and_not_kept() -> None:
    decoder = ChatDecoder()
    told: dict[str, Any] = {}
    for number in range(3000):
        for one in vendor_parts(decoder.feed([event(choices=CHOICE, **{f"k{number}": "x" * 1000})])):
            told.update(one)
    assert len(told) >= 2999  # the first may ride on the Start
    assert held_bytes(decoder) < 200_000
    assert isinstance(decoder.feed([delta(reason="stop") + DONE])[-1], Finish)


def test_a_field_too_big_to_remember_is_passed_on_each_time() -> None:
    decoder = ChatDecoder()
    decoder.feed([delta(content="x")])
    small, big = "s", "b" * (MAX_VALUE_BYTES + 1)
    told = []
    for value in (small, small, big, big, small, small):
        told += vendor_parts(decoder.feed([event(choices=CHOICE, odd=value)]))
    assert told == [{"odd": one} for one in (small, big, big, small)]


def test_what_comes_before_the_answer_has_an_id_is_bounded_too() -> None:
    decoder = ChatDecoder()
    out: list[Any] = []
    for number in range(3 * MAX_FIELDS):
        out += decoder.feed([b'data: {"choices": [], "k%d": "%b"}\n\n' % (number, b"x" * 1000)])
    assert held_bytes(decoder) < 200_000
    told: dict[str, Any] = {}
    for one in out:
        told.update(one.vendor.data if isinstance(one, Start) else one.part.data)
    assert len(told) == 3 * MAX_FIELDS


def called(**piece: Any) -> bytes:
    return delta(tool_calls=[piece])


def failed(decoder: ChatDecoder, events: list[bytes]) -> Failure:
    out = [one for read in events for one in decoder.feed([read])]
    stages.one_terminal(out)
    assert isinstance(out[-1], Failure)
    assert held_bytes(decoder) < 2_000_000
    return out[-1]


def test_one_call_under_ever_new_indices_is_too_many() -> None:
    events = [called(index=at, id="c", function={"arguments": "x"}) for at in range(MAX_OPEN_CALLS + 2)]
    assert f"more than {MAX_OPEN_CALLS}" in failed(ChatDecoder(), events).message


@pytest.mark.parametrize(
    "piece",
    [
        {"id": "i" * (MAX_NAME_CHARS + 1)},
        {"id": "c", "function": {"name": "n" * (MAX_NAME_CHARS + 1)}},
        {"id": "c", "custom": {"name": "n" * (MAX_NAME_CHARS + 1)}},
    ],
    ids=["id", "name", "custom name"],
)
def test_ids_and_names_of_calls_are_as_long_as_names_are(piece: dict[str, Any]) -> None:
    failure = failed(ChatDecoder(), [called(index=0, **piece)])
    assert failure.kind == "wire"
    assert f"longer than {MAX_NAME_CHARS}" in failure.message


def test_a_call_that_waits_for_its_name_keeps_little() -> None:
    events = [
        called(index=0, id="c", **{f"k{at}": "x" * 1000}) for at in range(MAX_WAITING_BYTES // 1000 + 2)
    ]
    assert "before the call's name" in failed(ChatDecoder(), events).message
