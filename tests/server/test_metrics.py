"""GET /metrics and the figures of live streams, over every carrier."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.server.conftest import Carrier, Served
from tests.server.doubles import BEGIN, END, HandModel, Models, frames
from tests.server.raw import chat, connected, request
from tests.server.test_queueing import ONE, waiting, whole
from tests.server.test_streams import again, asked, detached, until

from headrace.core.chunk import Failure, ReasoningDelta, TextDelta
from headrace.errors import Unavailable
from headrace.metrics.measures import Ended
from headrace.metrics.names import LABELS
from headrace.server.door import Door
from headrace.server.serve import running_server


async def scraped(served: Served) -> dict[str, float]:
    """Every sample: its name and labels -> its value."""
    found = await asked(served, "GET", "/metrics")
    assert found.status == 200
    assert found.headers["content-type"].startswith("application/openmetrics-text")
    return {
        " ".join(
            (sample.name, *(sample.labels[name] for name in LABELS if name in sample.labels))
        ): sample.value
        for family in text_string_to_metric_families(found.body.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("relays", [False, True])
def test_what_was_streamed_is_scraped(carrier: Carrier, relays: bool) -> None:
    async def main() -> None:
        model = HandModel(relays=relays)
        async with carrier.serving(Models(model)) as served:
            async with connected(served.url) as client:
                await client.send(chat())
                source = await model.source()
                if relays:
                    source.push(frames("one ", "two", done=False))
                    source.push(frames())
                else:
                    source.push(*BEGIN, TextDelta(0, "one "), TextDelta(0, "two"))
                    source.push(*END)
                    source.end()
                await client.response()
            found = await scraped(served)
            key = "m openai_chat finished"
            assert found[f"headrace_streams_total {key}"] == 1
            assert found[f"headrace_pieces_total {key}"] == 2
            assert found[f"headrace_gap_seconds_count {key}"] == 1
            assert found[f"headrace_time_to_first_token_seconds_count {key}"] == 1
            assert found[f"headrace_time_to_first_byte_seconds_count {key}"] == 1
            assert found[f"headrace_stream_bytes_total {key}"] > 0
            assert found["headrace_relayed_answers_total"] == relays
            assert found["headrace_live_streams"] == 0
            assert found["headrace_log_bytes"] > 0

    carrier.run(main())


def test_a_stream_of_reasoning_has_no_answer_yet(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(chat())
            source = await model.source()
            source.push(*BEGIN, ReasoningDelta(0, "hm"))
            await client.head()
            (live,) = msgspec.json.decode((await asked(served, "GET", "/v1/streams")).body)["data"]
            assert live["figures"]["pieces"] == 1
            assert live["figures"]["ttft_s"] >= 0  # a loop's clock may tick in milliseconds
            assert "first_answer_s" not in live["figures"]
            found = await scraped(served)
            assert (found["headrace_live_streams"], found["headrace_live_readers"]) == (1, 1)
            assert found["headrace_live_requests"] == 1
            source.push(TextDelta(1, "so"), *END)
            source.end()
            await client.response_body()
            (ended,) = msgspec.json.decode((await asked(served, "GET", "/v1/streams")).body)["data"]
            assert "figures" not in ended
            found = await scraped(served)
            assert found["headrace_time_to_first_answer_seconds_count m openai_chat finished"] == 1

    carrier.run(main())


def test_clients_that_leave_and_come_back_are_counted(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served:
            async with connected(served.url) as client:
                await client.send(detached())
                source = await model.source()
                source.push(*BEGIN, TextDelta(0, "one"))
                _, headers = await client.head()
                client.reset()
            await until(lambda: not served.app.live)
            source.push(*END)
            source.end()
            async with connected(served.url) as client:
                await client.send(again(headers["x-headrace-stream-id"]))
                await client.response()
            found = await scraped(served)
            assert (found["headrace_disconnects_total"], found["headrace_resumes_total"]) == (1, 1)
            assert found["headrace_lost_answers_total m openai_chat finished"] == 0  # the stream went on

    carrier.run(main())


def test_a_source_that_was_held_says_so(carrier: Carrier) -> None:
    piece = "x" * 10_000

    async def main() -> None:
        model = HandModel()
        async with (
            carrier.serving(Models(model)) as served,
            connected(served.url, limit=1024, receive_bytes=4096) as client,
        ):
            await client.send(chat())
            source = await model.source()
            source.push(*BEGIN)
            for _ in range(2000):
                if source.was_paused.is_set():
                    break
                source.push(TextDelta(0, piece))
                await asyncio.sleep(0)
            (session,) = served.app.sessions.live.values()
            assert session.producer is not None
            assert session.producer.clock.holds == 1
            reading = asyncio.create_task(client.response())
            async with asyncio.timeout(30):
                await source.was_resumed.wait()
            source.push(*END)
            source.end()
            await reading
            found = await scraped(served)
            assert found["headrace_held_seconds_total m openai_chat finished"] > 0

    carrier.run(main())


def test_a_watcher_is_told_of_every_answer(caplog: pytest.LogCaptureFixture) -> None:
    """Whole, streamed, failed: what was asked, by whom, and nothing of what was said."""
    seen: list[Ended] = []
    model = HandModel()

    async def main() -> None:
        async with running_server(Models(model), watchers=[seen.append]) as served:
            parent = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            for stream, fails in ((True, False), (False, False), (True, True)):
                async with connected(served.url) as client:
                    ask = chat(stream=stream, model="other")
                    await client.send(ask.replace(b"\r\n\r\n", f"\r\n{parent}\r\n\r\n".encode(), 1))
                    source = await model.source()
                    source.push(*BEGIN, TextDelta(0, "secret words"), *END)
                    source.end(Failure.of(Unavailable("away")) if fails else None)
                    await client.response()

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert [ended.figures is not None for ended in seen] == [True, False, True]
    assert {ended.call.asked for ended in seen} == {"other"}
    assert {ended.call.model for ended in seen} == {"m"}
    assert all(ended.call.traceparent.startswith("00-0af") for ended in seen)
    assert all(ended.call.request_id.startswith("req_") for ended in seen)
    assert "secret words" not in repr([(ended.call, ended.figures) for ended in seen])
    assert not caplog.records


def test_nothing_is_posted_to_it(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(HandModel())) as served, connected(served.url) as client:
            await client.send(request("POST", "/metrics"))
            assert (await client.response()).status == 405

    carrier.run(main())


def test_what_waits_for_its_turn_is_measured(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            carrier.serving(Models(model), door=Door(queue=ONE)) as served,
            connected(served.url) as one,
            connected(served.url) as two,
        ):
            await one.send(chat())
            first = await model.source()
            await two.send(chat())
            await waiting(served, 1)
            assert (await scraped(served))["headrace_queued_answers"] == 1
            whole(first, "one")
            await one.response()
            whole(await model.source(), "two")
            await two.response()
            found = await scraped(served)
            assert found["headrace_queued_answers"] == 0
            assert found["headrace_queue_seconds_count m openai_chat finished"] == 1
            assert found["headrace_streams_total m openai_chat finished"] == 2

    carrier.run(main())
