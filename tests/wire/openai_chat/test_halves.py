"""A character cut in two: `\\ud83d` in one event and `\\ude00` in the next, as some tokenizers make them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.openai_chat.events import DONE, decode, delta, event, failure, reply

from headrace.core.chunk import Finish, TextDelta
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder, ChatEncoder, ChatRelay

HIGH, LOW = "\ud83d", "\ude00"  # json.dumps writes each as its escape
BAD = "\ufffd"
STOP = delta(reason="stop")
ODD = {"p": "x"}


def text_of(*events: bytes) -> str:
    """The answer's text, which both directions can carry on."""
    out = decode(*events)
    assert out[-1] == Finish("stop", "stop", clean=True)
    stages.run(ChatEncoder(include_usage=True), [out])
    return "".join(one.text for one in out)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a" + HIGH, LOW + "b"], "a\U0001f600b"),
        ([HIGH, "", LOW], "\U0001f600"),
        ([HIGH, LOW, HIGH, LOW], "\U0001f600" * 2),
        (["a", HIGH, "b"], f"a{BAD}b"),
        ([HIGH, "b", LOW], f"{BAD}b{BAD}"),
        ([HIGH, HIGH, LOW], f"{BAD}\U0001f600"),
        ([LOW], BAD),
        ([HIGH], BAD),
        (["\U0001f600" + HIGH], "\U0001f600" + BAD),
        ([LOW + HIGH, LOW + HIGH], f"{BAD}\U0001f600{BAD}"),
    ],
)
@pytest.mark.parametrize("more", [{}, ODD], ids=["plain", "with an unknown field"])
def test_halves_meet_across_events_and_are_a_mark_where_they_do_not(
    pieces: list[str], text: str, more: dict[str, Any]
) -> None:
    events = [
        event(choices=[{"index": 0, "delta": {"content": one}, "finish_reason": None}], **more)
        for one in pieces
    ]
    assert text_of(*events, STOP, DONE) == text
    last = delta(content=pieces[-1], reason="stop")
    assert text_of(*events[:-1], last, DONE) == text


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "refusal"])
def test_so_do_those_of_other_texts(field: str) -> None:
    told = reply(delta(**{field: "a" + HIGH}), delta(content="x"), delta(**{field: LOW}), STOP, DONE)
    said = told.candidates[0]
    assert (said.refusal if field == "refusal" else said.reasoning) == "a\U0001f600"
    assert said.text == "x"


def test_candidates_and_calls_have_halves_of_their_own() -> None:
    events = [delta(0, content=HIGH), delta(1, content=HIGH), delta(1, content=LOW), delta(0, content="x")]
    told = reply(*events, delta(0, reason="stop"), delta(1, reason="stop"), DONE)
    assert [one.text for one in told.candidates] == [f"{BAD}x", "\U0001f600"]
    pieces = [
        delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a":"' + HIGH}}]),
        delta(tool_calls=[{"index": 1, "id": "d", "function": {"name": "g", "arguments": HIGH}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": LOW + '"}'}}]),
    ]
    told = reply(*pieces, delta(reason="tool_calls"), DONE)
    assert [one.arguments for one in told.candidates[0].tool_calls] == ['{"a":"\U0001f600"}', BAD]


def test_the_rest_of_such_an_event_is_mended_and_kept() -> None:
    choice = {"index": 0, "delta": {"content": "a", "odd": HIGH}, "finish_reason": None}
    told = decode(event(id=HIGH, choices=[choice], other={LOW: [HIGH + LOW]}), STOP, DONE)
    (said,) = [one for one in told if isinstance(one, TextDelta)]
    assert said.vendor is not None
    assert said.vendor.data["delta"] == {"odd": BAD}
    assert told[0].id == BAD
    assert told[0].vendor.data["other"] == {BAD: ["\U0001f600"]}


def test_an_error_with_a_half_is_that_error() -> None:
    said = failure(delta(content="a"), event(error={"message": "no " + HIGH, "code": 429}))
    assert (said.kind, said.message) == (
        "rate_limited",
        f"the provider sent an error inside the stream: no {BAD}",
    )


@pytest.mark.parametrize(
    "body", ['{"choices": "\\ud83d"', '{"a": NaN, "b": "\\ud83d"}', '{"a": 1e999, "b": "\\ud83d"}']
)
def test_what_is_broken_beside_stays_broken(body: str) -> None:
    assert failure(delta(content="a"), f"data: {body}\n\n".encode()).kind == "wire"


def test_a_relay_lets_halves_pass_as_they_came() -> None:
    events = [delta(content=HIGH), delta(content=LOW), STOP, DONE]
    relay = ChatRelay(True)
    out = stages.run(relay, [[one] for one in events])
    assert b"".join(out[:-1]) == b"".join(events)
    assert (out[-1], relay.content_events) == (Finish("stop", "stop"), 2)


PIECES = st.text(st.sampled_from(["a", "é", HIGH, LOW, "\U0001f600"]), max_size=4)


@given(st.lists(PIECES, max_size=5), st.booleans(), st.booleans())
def test_any_cut_of_a_text_into_events_gives_the_text(pieces: list[str], stops: bool, ends: bool) -> None:
    events = [delta(content=one) for one in pieces]
    events += [STOP] * stops + [DONE] * ends
    stream = b"".join(events)
    out = decode(stream)
    whole = (
        json.loads(json.dumps("".join(pieces))).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
    if stops:
        assert "".join(one.text for one in out) == whole
    relayed = stages.run(ChatRelay(True), [[stream]])[-1]
    assert type(relayed) is type(out[-1])
    assert getattr(relayed, "code", "") == getattr(out[-1], "code", "")
    assert stages.run(ChatDecoder(), [[bytes([byte])] for byte in stream]) == out
