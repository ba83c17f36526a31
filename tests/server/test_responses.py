"""Responses made in the background: read on from anywhere, cancelled, forgotten; by the official client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import openai
import pytest
from tests.server.conftest import Carrier, Served
from tests.server.doubles import BEGIN, END, HandModel, Models
from tests.server.test_streams import MakeSessions, asked, sessions, until

from headrace.core.chunk import Failure, TextDelta
from headrace.errors import Unavailable
from headrace.sessions.ending import WHOLE
from headrace.sessions.table import Sessions
from headrace.store.log import StreamEnd
from headrace.store.none import NoLog

__all__ = ["sessions"]


@asynccontextmanager
async def asking(served: Served) -> AsyncIterator[Any]:
    client = openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0, timeout=10)
    async with client:
        yield client.responses


def test_an_answer_in_the_background(carrier: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model), sessions=sessions()) as served, asking(served) as responses:
            began = await responses.create(model="m", input="hi", background=True)
            assert (began.status, began.background, began.output) == ("queued", True, [])
            source = await model.source()
            assert (await responses.retrieve(began.id)).status == "queued"
            source.push(*BEGIN, TextDelta(0, "one "))
            await until(lambda: served.app.sessions.live[began.id].sent > 0)
            assert (await responses.retrieve(began.id)).status == "in_progress"
            stream = await responses.retrieve(began.id, stream=True, starting_after=1)
            source.push(TextDelta(0, "two"), *END)
            source.end()
            events = [event async for event in stream]
            assert [event.sequence_number for event in events] == list(range(2, 2 + len(events)))
            assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == (
                "one two"
            )
            assert events[-1].type == "response.completed"
            ended = await responses.retrieve(began.id)
            assert (ended.status, ended.id, ended.output_text) == ("completed", began.id, "one two")
            assert ended.usage.input_tokens == 3
            await responses.delete(began.id)
            with pytest.raises(openai.NotFoundError):
                await responses.retrieve(began.id)

    carrier.run(main())


def test_a_stream_in_the_background_outlives_its_reader(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served, asking(served) as responses:
            stream = await answering(
                model, responses.create(model="m", input="hi", background=True, stream=True)
            )
            seen = [await anext(stream)]
            while seen[-1].type != "response.output_text.delta":
                seen.append(await anext(stream))
            await stream.close()
            await until(lambda: not served.app.live)
            source = model.source_in_use
            assert not source.was_cancelled.is_set()
            source.push(TextDelta(0, "two"), *END)
            source.end()
            id, last = seen[0].response.id, seen[-1].sequence_number
            rest = [e async for e in await responses.retrieve(id, stream=True, starting_after=last)]
            assert rest[0].sequence_number == last + 1
            text = "".join(e.delta for e in (*seen, *rest) if e.type == "response.output_text.delta")
            assert text == "one two"
            assert (await responses.retrieve(id)).output_text == "one two"

    direct.run(main())


def test_cancelling_stops_the_source_at_once(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served, asking(served) as responses:
            for text in ("", "one "):
                began = await responses.create(model="m", input="hi", background=True)
                source = await model.source()
                if text:
                    source.push(*BEGIN, TextDelta(0, text))
                cancelled = await responses.cancel(began.id)
                assert source.was_cancelled.is_set()
                assert (cancelled.status, cancelled.error) == ("cancelled", None)
                assert cancelled.output_text == text.strip() or cancelled.output_text == text
                assert (await responses.cancel(began.id)).status == "cancelled"

    direct.run(main())


def test_where_nothing_is_kept_there_is_no_background(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            direct.serving(Models(model), sessions=Sessions(NoLog())) as served,
            asking(served) as responses,
        ):
            for stream in (False, True):
                with pytest.raises(openai.BadRequestError, match=r"background: .* log is none") as refused:
                    await responses.create(model="m", input="hi", background=True, stream=stream)
                assert refused.value.param == "background"

    direct.run(main())


def test_a_failure_in_the_background_is_told(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served, asking(served) as responses:
            for text in ("", "one "):
                began = await responses.create(model="m", input="hi", background=True)
                source = await model.source()
                if text:
                    source.push(*BEGIN, TextDelta(0, text))
                source.end(Failure.of(Unavailable("the engine fell over", code="down")))
                await until(lambda id=began.id: id not in served.app.sessions.live)
                failed = await responses.retrieve(began.id)
                assert (failed.status, failed.error.message) == ("failed", "the engine fell over")

    direct.run(main())


def test_only_what_was_kept_can_be_asked_for(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served, asking(served) as responses:
            for id in ("resp_nobody", "x" * 200):
                with pytest.raises(openai.NotFoundError):
                    await responses.retrieve(id)
                with pytest.raises(openai.NotFoundError):
                    await responses.cancel(id)
                with pytest.raises(openai.NotFoundError):
                    await responses.delete(id)
                with pytest.raises(openai.NotFoundError):
                    await responses.retrieve(id, stream=True)
            with pytest.raises(
                openai.NotFoundError, match="nothing is served at /v1/responses/a/input_items"
            ):
                await responses.input_items.list("a")
            stream = await answering(model, responses.create(model="m", input="hi", stream=True))
            model.source_in_use.push(*END)
            model.source_in_use.end()
            events = [event async for event in stream]
            kept = await responses.retrieve(events[0].response.id)
            assert (kept.status, kept.output_text) == ("completed", "one ")
            with pytest.raises(openai.BadRequestError, match="background"):
                await responses.cancel(kept.id)
            with pytest.raises(openai.BadRequestError, match=r"starting_after: must be .*, not 'x'"):
                await responses.retrieve(kept.id, stream=True, extra_query={"starting_after": "x"})
            last = events[-1].sequence_number
            beyond = f"starting_after: the last event is {last}, there is nothing behind {last + 1}"
            with pytest.raises(openai.BadRequestError, match=beyond):
                await responses.retrieve(kept.id, stream=True, starting_after=last + 1)

    direct.run(main())


@pytest.mark.parametrize(
    "event",
    [
        b'event: response.created\r\ndata:{"response":{"id":"resp_1"}}\r\n\r\n',
        b'data: {"response":\ndata: {"id":"resp_1"}}\n\n',
        b'data: {"response":{"id":"resp_1"}}\n\ndata: [DONE]\n\n',
    ],
)
def test_a_response_is_found_in_a_providers_own_framing(direct: Carrier, event: bytes) -> None:
    async def main() -> None:
        async with direct.serving(Models(HandModel())) as served:
            session = served.app.sessions.begin(
                "resp_1", {"front": "openai_responses"}, events=True, tells_ids=True, detaches=True
            )
            session.write([event])
            found = await asked(served, "GET", "/v1/responses/resp_1")
            assert msgspec.json.decode(found.body) == {"id": "resp_1", "status": "in_progress"}
            session.end(StreamEnd("finished", time.time()), (), WHOLE)
            found = await asked(served, "GET", "/v1/responses/resp_1")
            assert msgspec.json.decode(found.body) == {"id": "resp_1"}

    direct.run(main())


async def answering(model: HandModel, asked: Any) -> Any:
    """The stream of a model that has begun to say something."""
    task = asyncio.create_task(asked)
    model.source_in_use = await model.source()
    model.source_in_use.push(*BEGIN, TextDelta(0, "one "))
    return await task
