"""The scripted streams, and the judge that must not take a broken answer for a whole one."""

from __future__ import annotations

import pytest
from benchmarks.rig.protocols import PROTOCOLS, Protocol, words
from benchmarks.rig.script import BURST, script
from benchmarks.rig.verify import body_of, read_answer

from headrace.core.fold import fold
from headrace.testing.stages import run
from headrace.wire import wire_named


def played(model: str, *, asked: bool = True) -> bytes:
    """All that the upstream writes for a model."""
    return b"".join(script(model, asked).writes)


@pytest.mark.parametrize("model", ["spread-1", "spread-40", "burst-1", "burst-32", "burst-33", "burst-100"])
def test_a_whole_stream_is_whole(model: str) -> None:
    pieces = int(model.partition("-")[2])
    answer = read_answer(played(model))
    assert (answer.status, answer.done, answer.finish) == (200, True, "stop")
    assert answer.text == "".join(words(pieces))
    assert answer.events == pieces + 3
    assert answer.output_tokens == pieces


def test_usage_comes_only_where_it_was_asked_for() -> None:
    answer = read_answer(played("spread-5", asked=False))
    assert (answer.events, answer.output_tokens, answer.done) == (7, 0, True)


def test_spread_has_a_write_an_event_and_burst_many() -> None:
    assert len(script("spread-64", True).writes) == 65
    assert len(script("burst-64", True).writes) == 1 + (64 - 1 + BURST - 1) // BURST + 1


@pytest.mark.parametrize("fault", ["cut", "reset", "unfinished", "wait", "garbled"])
def test_a_fault_is_not_whole(fault: str) -> None:
    answer = read_answer(played(f"{fault}-5"))
    assert answer.text == "".join(words(5))
    assert not answer.done
    assert answer.finish == ""
    assert answer.garbled == (fault == "garbled")


def test_a_refusal_keeps_its_status() -> None:
    status, body = body_of(played("refused-1"))
    assert status == 503
    assert b"overloaded" in body


def test_a_body_cut_inside_a_chunk_gives_what_came() -> None:
    assert body_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde") == (
        200,
        b"abcde",
    )


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_protocol_is_played_as_its_own_wire_reads_it(protocol: Protocol) -> None:
    raw = b"".join(script("burst-40", True, protocol.path).writes)
    answer = read_answer(raw, protocol)
    assert (answer.done, answer.finish, answer.text) == (True, "stop", "".join(words(40)))
    assert (answer.output_tokens, answer.garbled, answer.error) == (40, 0, None)
    chunks = run(wire_named(protocol.name).decoder(), [[body_of(raw)[1]]])
    reply = fold(chunks)
    assert (reply.text, reply.finish_reason, reply.failure) == (answer.text, "stop", None)
    assert reply.usage is not None
    assert reply.usage.output_tokens == 40
    assert protocol.first not in b"".join(protocol.played(3, True).opening).replace(b'"content":""', b"")


@pytest.mark.parametrize("model", ["tide-5", "spread", "spread-many"])
def test_an_unknown_script_is_refused(model: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        script(model, True)
