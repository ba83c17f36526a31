"""A request that cannot be sent to the worker ends itself and nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners.hosting import asked, hosted
from tests.runners.keeping import Kept

from headrace.core.chunk import Failure, Finish
from headrace.core.message import user
from headrace.core.request import GenerationSettings, Request
from headrace.errors import RequestError
from headrace.runners import frames
from headrace.runners.frames import packed
from headrace.runners.host import EngineHost
from headrace.runners.llama_job import plan
from headrace.runners.model import LocalSource


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"settings": GenerationSettings(logit_bias={"9" * 20: 5.0})}, f"logit_bias.{'9' * 20}"),
        ({"settings": GenerationSettings(logit_bias={"9" * 5000: 5.0})}, f"logit_bias.{'9' * 32}…"),
        ({"messages": (user("\ud800"),)}, "messages"),
    ],
    ids=["20 digits", "5,000 digits", "half a character"],
)
def test_what_cannot_travel_is_refused_at_open_and_named(fields: dict[str, Any], field: str) -> None:
    request = Request("local/x", **{"messages": (user("hi"),), **fields})
    with pytest.raises(RequestError) as failed:
        packed(plan(request).job)
    assert failed.value.field == field
    assert len(failed.value.message) < 300


@pytest.mark.parametrize("value", [10**30, -(2**63) - 1, "\udcff", object()])
def test_a_part_that_cannot_travel_is_named(value: Any) -> None:
    with pytest.raises(RequestError) as failed:
        packed({"fine": 1, "part": [{"deep": value}]})
    assert failed.value.field == "part"


def test_a_job_beyond_a_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_JOB_BYTES", 100)
    with pytest.raises(RequestError, match="100 bytes"):
        packed({"text": "x" * 100})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values))
def test_any_job_travels_or_is_a_request_error(job: dict[str, Any]) -> None:
    try:
        sent = frames.encoded(frames.Run(1, packed(job), 64))
    except RequestError:
        return
    (body,) = frames.FrameReader().feed(sent)
    got = frames.down(body)
    assert isinstance(got, frames.Run)
    assert bytes(got.job) == bytes(packed(job))


def test_a_queued_request_that_cannot_be_sent_ends_alone() -> None:
    async def work(host: EngineHost) -> None:
        running = asked(host, say=3, then="hang")
        other = asked(host, say=3, then="hang")
        await asyncio.gather(running.some(4), other.some(4))
        pid = host.worker_pid
        poison = LocalSource(host, {"say": 1})
        poison.credit = 2**70  # no message can hold it
        bad = Kept(poison)
        poison.start(bad)
        innocent = asked(host, say=1)
        other.source.cancel()
        await asyncio.gather(bad.done.wait(), innocent.done.wait())
        assert isinstance(bad.terminal, Failure)
        assert bad.terminal.kind == "runner"
        assert innocent.terminal == Finish("stop")
        assert (running.terminal, host.worker_pid) == (None, pid)
        assert host.readers == 1  # the poison left nothing behind

    hosted(work)


def test_a_request_that_cannot_be_sent_does_not_end_inside_start() -> None:
    async def work(host: EngineHost) -> None:
        await host.warm()
        poison = LocalSource(host, {"say": 1})
        poison.credit = 2**70
        bad = Kept(poison)
        poison.start(bad)
        assert bad.terminal is None
        await bad.done.wait()
        assert isinstance(bad.terminal, Failure)

    hosted(work)


@pytest.mark.parametrize(
    "stray", [frames.End(99, Finish("stop")), frames.Batch(99, [])], ids=["end", "batch"]
)
def test_news_of_a_reply_nobody_knows_harms_no_other(stray: frames.Up) -> None:
    async def work(host: EngineHost) -> None:
        running = asked(host, say=2, then="hang")
        await running.some(3)
        worker = host._worker
        assert worker is not None
        worker.data_received(frames.encoded(stray))
        fine = asked(host, say=1)
        await fine.done.wait()
        assert fine.terminal == Finish("stop")
        assert running.terminal is None

    hosted(work)


def test_a_cancel_right_behind_the_start_frees_the_slot() -> None:
    """Both reach the worker in one read, before the reply's task has had a turn."""

    async def work(host: EngineHost) -> None:
        await host.warm()
        for _ in range(5):
            asked(host, then="hang").source.cancel()
        fine = asked(host, say=1)
        await fine.done.wait()
        assert fine.terminal == Finish("stop")

    hosted(work, slots=1)
