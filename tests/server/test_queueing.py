"""More requests than places: who waits, for how long, who is refused, and who is gone; over every carrier."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest
from tests.server.conftest import Carrier, Served
from tests.server.doubles import BEGIN, END, HandModel, HandSource, Models
from tests.server.raw import RawClient, chat, connected, request

from headrace.config.door import LimitSettings, QueueSettings
from headrace.server.door import Door
from headrace.server.limits import Limits

ONE = QueueSettings(max_streams=1)
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()
QUICK = Limits(drain_s=2, keepalive_after_s=0.1)


def asking(*headers: str, stream: bool = True) -> bytes:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    return request("POST", "/v1/chat/completions", json.dumps(body).encode(), headers=headers)


def whole(source: HandSource, text: str) -> None:
    source.push(*BEGIN)
    source.say(text)
    source.push(*END)
    source.end()


async def waiting(served: Served, count: int) -> None:
    """Until so many wait."""
    async with asyncio.timeout(30):
        while served.app.admission.waiting != count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("relays", [False, True], ids=["encoded", "relayed"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_one_place_is_had_by_one_after_the_other(carrier: Carrier, relays: bool, stream: bool) -> None:
    if relays and not stream:
        pytest.skip("only streams are relayed")

    async def main() -> None:
        model = HandModel(relays=relays)
        async with (
            carrier.serving(Models(model), QUICK, door=Door(queue=ONE)) as served,
            connected(served.url) as one,
            connected(served.url) as two,
        ):
            await one.send(asking(stream=stream))
            first = await model.source()
            await two.send(asking(stream=stream))
            await waiting(served, 1)
            assert served.app.admission.running == 1
            second = model.sources.get_nowait()
            assert not second.started.is_set()
            if stream:
                assert await two.chunk_after_head() == b": ping\n"  # it is kept alive while it waits
            if relays:
                first.push(b'data: {"choices": []}\n\ndata: [DONE]\n\n')
                first.end()
            else:
                whole(first, "one")
            async with asyncio.timeout(30):
                await second.started.wait()
            assert (served.app.admission.running, served.app.admission.waiting) == (1, 0)
            if relays:
                second.push(b'data: {"choices": []}\n\ndata: [DONE]\n\n')
                second.end()
            else:
                whole(second, "two")
            said = await (two.response_body() if stream else _body(two))
            assert b"[DONE]" in said or b"two" in said
        counters = served.app.counters
        assert counters.queued == 1
        assert counters.queue_sum_s >= 0  # a loop's clock may tick in milliseconds
        assert served.app.admission.running == 0

    carrier.run(main())


async def _body(client: RawClient) -> bytes:
    return (await client.response()).body


def test_the_queue_is_bounded_and_says_when_to_come_back(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        door = Door(queue=QueueSettings(max_streams=1, max_waiting=2))
        async with carrier.serving(Models(model), door=door) as served, AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(connected(served.url)) for _ in range(4)]
            await clients[0].send(asking())
            await model.source()
            for number, client in enumerate(clients[1:3], 1):
                await client.send(asking())
                await waiting(served, number)
            await clients[3].send(asking())
            refused = await clients[3].response()
            assert (refused.status, refused.error["code"]) == (429, "queue_full")
            assert int(refused.headers["retry-after"]) >= 1

    carrier.run(main())


def test_what_waits_is_bounded_by_its_bytes_too(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        door = Door(queue=QueueSettings(max_streams=1, max_waiting_bytes=2 * len(BODY) - 1))
        async with carrier.serving(Models(model), door=door) as served, AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(connected(served.url)) for _ in range(3)]
            await clients[0].send(asking())
            source = await model.source()
            await clients[1].send(asking())
            await waiting(served, 1)
            second = model.sources.get_nowait()
            await clients[2].send(asking())
            refused = await clients[2].response()
            assert (refused.status, refused.error["code"]) == (429, "queue_full")
            assert f"at most {2 * len(BODY) - 1} bytes" in refused.error["message"]
            source.push(*BEGIN, *END)
            source.end()
            await waiting(served, 0)
            assert served.app.admission._waiting_bytes == 0
            assert second.started.is_set()
            await clients[2].send(asking())
            await waiting(served, 1)
            assert served.app.admission._waiting_bytes == len(BODY)

    carrier.run(main())


def test_a_client_that_goes_away_is_out_of_the_queue_at_once(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            carrier.serving(Models(model), door=Door(queue=ONE)) as served,
            connected(served.url) as one,
        ):
            await one.send(asking())
            first = await model.source()
            for _ in range(20):  # nothing is left of those that came and went
                async with connected(served.url) as two:
                    await two.send(asking())
                    await waiting(served, 1)
                await waiting(served, 0)
            admission = served.app.admission
            assert not admission._since_s
            assert not admission._queue._lanes
            assert admission.running == 1
            whole(first, "one")
            await one.response()
            async with connected(served.url) as three:
                await three.send(asking())
                stale = [model.sources.get_nowait() for _ in range(20)]
                assert not any(source.started.is_set() for source in stale)
                last = await model.source()
                whole(last, "three")
                assert b"three" in (await three.response()).body

    carrier.run(main())


def test_a_deadline_ends_the_waiting(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            carrier.serving(Models(model), QUICK, door=Door(queue=ONE)) as served,
            AsyncExitStack() as stack,
        ):
            one, two, three = [await stack.enter_async_context(connected(served.url)) for _ in range(3)]
            await one.send(asking())
            await model.source()
            await two.send(asking("x-headrace-deadline-s: 0.01"))
            late = await two.response()
            assert (late.status, late.error["code"]) == (504, "queue_deadline")
            await three.send(asking("x-headrace-deadline-s: 0.4"))  # by then the 200 is out
            assert await three.chunk_after_head() == b": ping\n"
            assert b"queue_deadline" in await three.response_body()
            assert served.app.admission.waiting == 0

    carrier.run(main())


@pytest.mark.parametrize(
    "header",
    [
        "x-headrace-deadline-s: 0",
        "x-headrace-deadline-s: nan",
        "x-headrace-deadline-s: soon",
        "x-headrace-deadline-s: inf",
        "x-headrace-priority: 10",
        "x-headrace-priority: -1",
        "x-headrace-priority: ²",
    ],
)
def test_what_cannot_be_meant_is_named(direct: Carrier, header: str) -> None:
    async def main() -> None:
        async with direct.serving(Models(HandModel())) as served, connected(served.url) as client:
            await client.send(asking().replace(b"Host: test", b"Host: test\r\n" + header.encode("latin-1")))
            answer = await client.response()
            assert answer.status == 400
            assert answer.error["param"] == header.partition(":")[0]

    direct.run(main())


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_deadline_beyond_the_servers_own_is_refused(direct: Carrier, stream: bool) -> None:
    async def main() -> None:
        model = HandModel()
        door = Door(queue=QueueSettings(max_wait_s=7.5))
        async with direct.serving(Models(model), door=door) as served, connected(served.url) as client:
            await client.send(asking("x-headrace-deadline-s: 7.6", stream=stream))
            answer = await client.response()
            assert (answer.status, answer.error["param"]) == (400, "x-headrace-deadline-s")
            assert "'7.6'" in answer.error["message"]
            assert "at most 7.5" in answer.error["message"]
            assert model.sources.empty()
            await client.send(asking("x-headrace-deadline-s: 7.5", stream=stream))
            whole(await model.source(), "one")
            assert (await client.response()).status == 200

    direct.run(main())


def test_the_urgent_overtake(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), door=Door(queue=ONE)) as served, AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(connected(served.url)) for _ in range(3)]
            await clients[0].send(asking())
            first = await model.source()
            for number, (client, priority) in enumerate(zip(clients[1:], (9, 1), strict=True), 1):
                await client.send(asking(f"x-headrace-priority: {priority}"))
                await waiting(served, number)
            low, high = model.sources.get_nowait(), model.sources.get_nowait()
            whole(first, "one")
            async with asyncio.timeout(30):
                await high.started.wait()
            assert not low.started.is_set()
            whole(high, "high")
            async with asyncio.timeout(30):
                await low.started.wait()

    direct.run(main())


def test_a_model_has_places_of_its_own(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        door = Door(queue=QueueSettings(models={"m": 1}))
        async with direct.serving(Models(model), door=door) as served, AsyncExitStack() as stack:
            one, two = [await stack.enter_async_context(connected(served.url)) for _ in range(2)]
            await one.send(asking())
            await model.source()
            await two.send(asking())
            await waiting(served, 1)

    direct.run(main())


def test_answers_under_way_have_a_bound(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        door = Door(limits=LimitSettings(max_streams=1))
        async with direct.serving(Models(model), door=door) as served, AsyncExitStack() as stack:
            one, two = [await stack.enter_async_context(connected(served.url)) for _ in range(2)]
            await one.send(asking())
            await model.source()
            await two.send(asking())
            refused = await two.response()
            assert (refused.status, refused.error["code"]) == (429, "too_many_streams")

    direct.run(main())


def test_shutting_down_ends_those_that_wait(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        limits = Limits(drain_s=0.05)
        async with (
            carrier.serving(Models(model), limits, door=Door(queue=ONE)) as served,
            AsyncExitStack() as stack,
        ):
            one, two = [await stack.enter_async_context(connected(served.url)) for _ in range(2)]
            await one.send(asking())
            await model.source()
            await two.send(asking())
            await waiting(served, 1)
            served.stop()
            assert (await two.response()).status == 503
            assert served.app.admission.waiting == 0
            await one.rest()

    carrier.run(main())


def test_a_late_loop_refuses_what_is_new(direct: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        door = Door(queue=QueueSettings(max_lag_s=0.5))
        async with direct.serving(Models(HandModel()), door=door) as served, connected(served.url) as client:
            monkeypatch.setattr(door._lag, "lag_s", lambda: 0.6)
            await client.send(chat())
            refused = await client.response()
            assert (refused.status, refused.error["code"]) == (503, "overloaded")
            assert refused.headers["retry-after"] == "1"
            await client.send(request("GET", "/health"))
            assert (await client.response()).status == 200

    direct.run(main())


@pytest.mark.parametrize("relays", [False, True], ids=["encoded", "relayed"])
def test_a_stream_that_is_ahead_of_its_pace_holds_its_source(direct: Carrier, relays: bool) -> None:
    async def main() -> None:
        model = HandModel(relays=relays)
        door = Door(limits=LimitSettings(events_per_s=20))
        async with direct.serving(Models(model), door=door) as served, connected(served.url) as client:
            await client.send(asking())
            source = await model.source()
            if relays:
                source.push(b'data: {"choices": []}\n\n')
            else:
                source.push(*BEGIN)
                source.say("x")
            assert source.paused
            await client.chunk_after_head()
            async with asyncio.timeout(30):
                await source.was_resumed.wait()
            if relays:
                source.push(b"data: [DONE]\n\n")
                source.end()
            else:
                source.push(*END)
                source.end()
            assert (await client.response_body()).endswith(b"data: [DONE]\n\n")

    direct.run(main())
