"""Every recorded file is judged: an answer by its vendor's client, an error as one, the rest as foreign."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Any

import pytest
from tests.wire import recordings
from tests.wire.anthropic.judge import JUDGE as ANTHROPIC
from tests.wire.bedrock.judge import JUDGE as BEDROCK
from tests.wire.cohere.judge import JUDGE as COHERE
from tests.wire.gemini.judge import JUDGE as GEMINI
from tests.wire.judge import Judge
from tests.wire.openai_chat.judge import JUDGE as OPENAI_CHAT
from tests.wire.openai_completions.judge import JUDGE as OPENAI_COMPLETIONS
from tests.wire.openai_responses.judge import JUDGE as OPENAI_RESPONSES
from tests.wire.recordings import Recording

from headrace.core.chunk import Chunk, Failure, Finish
from headrace.core.fold import fold
from headrace.testing.conformance import well_formed
from headrace.testing.stages import cut, run
from headrace.wire import WIRES, wire_named

pytestmark = pytest.mark.recordings

JUDGES = {
    one.wire: one
    for one in (ANTHROPIC, BEDROCK, COHERE, GEMINI, OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_RESPONSES)
}
# The bodies of error statuses -> what they are.
REFUSALS = {
    "gemini/test_authentication_error_stream_google_gemini_2_5_flash.0.sse": ("auth", "INVALID_ARGUMENT"),
    "gemini/test_model_not_found_stream_google_gemini_2_5_flash.0.sse": ("bad_request", "NOT_FOUND"),
    "gemini/test_model_not_found_stream_google_gemini_2_5_flash.1.sse": ("bad_request", "NOT_FOUND"),
}
STREAMS = recordings.streams()


def judge_of(recording: Recording) -> Judge:
    return JUDGES[recording.wire]


def decode(judge: Judge, *reads: bytes) -> list[Chunk]:
    return run(judge.decoder(), [[read] for read in reads])


def encode(judge: Judge, chunks: list[Chunk]) -> bytes:
    return b"".join(run(judge.encoder(), [chunks]))


def is_good(recording: Recording) -> bool:
    return recording.name not in judge_of(recording).fails


# --- the ledger


def test_every_file_is_judged_once() -> None:
    files = recordings.files()
    if not files:
        pytest.skip(recordings.ABSENT)
    assert sorted(recordings.index()) == files, "the index and the folder name other files"
    judged = [one.name.partition("#")[0] for one in STREAMS]
    foreign = [file for file in files if recordings.foreign(file)]
    refusals = [file for file in files if recordings.is_refusal(file)]
    assert sorted(REFUSALS) == refusals
    assert sorted({*judged, *foreign, *refusals}) == files, "a file is judged by nobody"
    assert not {*judged} & {*foreign, *refusals}, "a file is judged twice"


def test_every_row_of_the_ledger_has_files() -> None:
    if not recordings.files():
        pytest.skip(recordings.ABSENT)
    patterns = [pattern for pattern, _ in (*recordings.SPEAKS, *recordings.FOREIGN)]
    idle = [one for one in patterns if not any(fnmatchcase(file, one) for file in recordings.files())]
    assert idle == []


def test_every_declared_stream_is_there() -> None:
    if not recordings.files():
        pytest.skip(recordings.ABSENT)
    names = {one.name for one in STREAMS}
    assert [
        name
        for judge in JUDGES.values()
        for name in (*judge.fails, *judge.changed, *judge.unclean)
        if name not in names
    ] == []


# --- streams of wires


def test_it_adds_up_to_what_the_judge_makes_of_it(recording: Any) -> None:
    judge = judge_of(recording)
    chunks = decode(judge, recording.body)
    last = chunks[-1]
    if not is_good(recording):
        assert isinstance(last, Failure)
        assert (last.kind, last.code) == judge.fails[recording.name]
        return
    assert isinstance(last, Finish)
    assert last.clean == (recording.name not in judge.unclean)
    assert judge.said(recording, chunks) == judge.told(recording, judge.official(recording, recording.body))


def test_encoded_again_the_judge_takes_it_for_the_same(recording: Any) -> None:
    judge = judge_of(recording)
    chunks = decode(judge, recording.body)
    encoded = encode(judge, chunks)
    again = decode(judge, encoded)
    if not is_good(recording):
        assert isinstance(again[-1], Failure)
        assert (judge.fails[recording.name][0] == "wire") or again[-1].kind == chunks[-1].kind  # type: ignore[union-attr]
        return
    assert judge.said(recording, again) == judge.said(recording, chunks)
    assert fold(again).usage == fold(chunks).usage
    if recording.name not in judge.changed:
        assert judge.official(recording, encoded) == judge.official(recording, recording.body)


def test_its_chunks_are_in_order(recording: Any) -> None:
    well_formed(decode(judge_of(recording), recording.body))


def test_any_cuts_give_the_same_chunks(recording: Any) -> None:
    judge, body = judge_of(recording), recording.body
    whole = decode(judge, body)
    dice = random.Random(recording.name)  # repeatable cuts, others for each recording
    for _ in range(4):
        cuts = [dice.randrange(len(body)) for _ in range(dice.randrange(1, 40))]
        assert decode(judge, *cut(body, cuts)) == whole
    if len(body) < 6_000:
        assert decode(judge, *cut(body, range(len(body)))) == whole


def test_cut_behind_any_event_it_is_never_a_success(recording: Any) -> None:
    if not is_good(recording):
        return
    judge = judge_of(recording)
    parts = [one.raw for one in judge.separated.split(recording.body)]
    end = next(place for place, part in enumerate(parts) if judge.ends(part))
    step = max(1, end // 40)
    fed = judge.decoder()
    for place, part in enumerate(parts[:end]):
        assert not any(chunk.is_complete for chunk in fed.feed([part]))
        if place % step == 0:
            assert_truncated(decode(judge, b"".join(parts[: place + 1]))[-1])
    assert_truncated(fed.close()[-1])


def assert_truncated(last: Chunk) -> None:
    assert isinstance(last, Failure)
    assert (last.kind, last.retryable) == ("truncated", True)


# --- files that hold no answer of a wire


@pytest.mark.parametrize("file", recordings.params(filter(recordings.is_refusal, recordings.files())))
def test_the_body_of_an_error_status_is_a_typed_failure(file: str) -> None:
    body, row = (recordings.RECORDINGS / file).read_bytes(), recordings.index()[file]
    wire = wire_named(recordings.spoken_in(file))
    failure = wire.failure(row["status"], {"Content-Type": "application/json"}, body, "place")
    assert (failure.kind, failure.code, failure.detail["status"]) == (*REFUSALS[file], row["status"])
    assert not failure.retryable
    (same,) = run(wire.decoder(), [[body]])  # the same with a 200
    assert (same.kind, same.code) == REFUSALS[file]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("file", recordings.params(filter(recordings.foreign, recordings.files())))
def test_what_no_wire_speaks_is_a_failure_to_each(file: str, wire: str) -> None:
    body = (recordings.RECORDINGS / file).read_bytes()
    framed = b"".join(b"data: " + line + b"\n\n" for line in body.splitlines() if line.strip())
    for data in (body, framed):
        last = run(wire_named(wire).decoder(), [[data]])[-1]
        assert isinstance(last, Failure)
        assert last.kind in ("truncated", "wire", "unavailable")
