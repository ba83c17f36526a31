"""The official `openai` client against every carrier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from tests.server.conftest import Carrier, Served
from tests.server.doubles import BEGIN, END, HandModel, Models

from headrace.core.chunk import Failure, TextDelta
from headrace.core.message import ToolCallPart
from headrace.errors import ContextOverflow, RateLimited, Unavailable
from headrace.server.limits import Limits
from headrace.simulate.echo import EchoModel, EchoScript

HELLO: Any = [{"role": "user", "content": "Hello, 🌊 world!\nHow are you?"}]
SAID = HELLO[0]["content"]


@asynccontextmanager
async def asking(served: Served) -> AsyncIterator[openai.AsyncOpenAI]:
    client = openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0, timeout=10)
    async with client:
        yield client


def test_a_stream_and_an_answer(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served, asking(served) as client:
            stream = await client.chat.completions.create(
                model="sim/echo", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
            seen = [event async for event in stream]
            text = "".join(event.choices[0].delta.content or "" for event in seen if event.choices)
            assert text == SAID
            assert [e.choices[0].finish_reason for e in seen if e.choices][-1] == "stop"
            usage = seen[-1].usage
            assert usage is not None
            assert usage.completion_tokens > 1
            answer = await client.chat.completions.create(model="sim/echo", messages=HELLO)
            assert answer.choices[0].message.content == SAID
            assert answer.usage == usage
            assert [model.id async for model in client.models.list()] == ["sim/echo"]
            assert (await client.models.retrieve("sim/echo")).id == "sim/echo"

    carrier.run(main())


def test_the_synchronous_client(carrier: Carrier) -> None:
    def ask(url: str) -> tuple[str, str | None]:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=10) as client:
            with client.chat.completions.create(model="sim/echo", messages=HELLO, stream=True) as stream:
                said = "".join(event.choices[0].delta.content or "" for event in stream if event.choices)
            answer = client.chat.completions.create(model="sim/echo", messages=HELLO)
            return said, answer.choices[0].message.content

    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served:
            assert await asyncio.to_thread(ask, served.url) == (SAID, SAID)
        await asyncio.get_running_loop().shutdown_default_executor()

    carrier.run(main())


def test_tool_calls_and_logprobs(carrier: Carrier) -> None:
    script = EchoScript(tool_calls=[ToolCallPart("call_1", "weather", '{"city": "Bern"}')])

    async def main() -> None:
        async with carrier.serving(Models(EchoModel(script))) as served, asking(served) as client:
            async with client.chat.completions.stream(
                model="sim/echo", messages=HELLO, logprobs=True, top_logprobs=1
            ) as stream:
                message = (await stream.get_final_completion()).choices[0]
            assert message.finish_reason == "tool_calls"
            assert message.message.content == SAID
            assert message.message.tool_calls is not None
            call = message.message.tool_calls[0]
            assert (call.id, call.function.name) == ("call_1", "weather")
            assert call.function.arguments == '{"city": "Bern"}'
            assert message.logprobs is not None
            assert message.logprobs.content is not None
            assert "".join(token.token for token in message.logprobs.content) == SAID

    carrier.run(main())


def test_its_exceptions(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as client:
            create = client.chat.completions.create
            with pytest.raises(openai.NotFoundError, match="nobody"):
                await create(model="nobody", messages=HELLO)
            with pytest.raises(openai.BadRequestError, match="temperature"):
                await create(model="m", messages=HELLO, temperature="hot")  # type: ignore[call-overload]
            for error, expected in (
                (ContextOverflow("too long"), openai.BadRequestError),
                (RateLimited("slow down"), openai.RateLimitError),
                (Unavailable("down"), openai.InternalServerError),
            ):
                asked = asyncio.create_task(create(model="m", messages=HELLO, stream=True))
                (await model.source()).end(Failure.of(error))
                with pytest.raises(expected, match=error.message):
                    await asked

    carrier.run(main())


def test_an_error_event_raises_after_what_was_said(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as client:
            asked = asyncio.create_task(
                client.chat.completions.create(model="m", messages=HELLO, stream=True)
            )
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, "half an ans"))
            said: list[str] = []

            async def read() -> None:
                async with await asked as stream:
                    async for event in stream:
                        said.append(event.choices[0].delta.content or "")
                        if any(said) and not source.ended:
                            source.end(Failure.of(Unavailable("the engine fell over")))

            with pytest.raises(openai.APIError, match="the engine fell over"):
                await read()
            assert "".join(said) == "half an ans"

    carrier.run(main())


def test_comments_in_a_silence_are_no_events(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            carrier.serving(Models(model), Limits(keepalive_after_s=0.1)) as served,
            asking(served) as client,
        ):
            # The client sees the head, which only the first comment can have committed.
            stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
            source = await model.source()
            assert served.app.live
            source.push(*BEGIN, TextDelta(0, "late"))
            source.push(*END)
            source.end()
            said = [e.choices[0].delta.content or "" async for e in stream]
            assert "".join(said) == "late"

    carrier.run(main())


@pytest.mark.parametrize("said_first", [False, True])
def test_closing_the_stream_cancels_the_source(carrier: Carrier, said_first: bool) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, asking(served) as client:
            asked = asyncio.create_task(
                client.chat.completions.create(model="m", messages=HELLO, stream=True)
            )
            source = await model.source()
            if said_first:
                source.push(*BEGIN, TextDelta(0, "hi"))
                stream = await asked
                await anext(stream)
                await stream.close()
            else:
                asked.cancel()
                await asyncio.wait({asked})
            async with asyncio.timeout(30):
                await source.was_cancelled.wait()
            assert served.app.counters.lost == 1

    carrier.run(main())


def test_many_streams_at_once(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served, asking(served) as client:

            async def one(number: int) -> str:
                messages: Any = [{"role": "user", "content": f"number {number} " * 20}]
                stream = await client.chat.completions.create(
                    model="sim/echo", messages=messages, stream=True
                )
                return "".join([e.choices[0].delta.content or "" async for e in stream if e.choices])

            said = await asyncio.gather(*(one(number) for number in range(20)))
            assert said == [f"number {number} " * 20 for number in range(20)]
            assert served.app.counters.finished == 20

    carrier.run(main())
