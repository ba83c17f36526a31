"""The end of a server: it drains, refuses what is new, ends the rest, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models, frames
from tests.server.raw import chat, connected, request, unnumbered

from headrace.core.chunk import TextDelta
from headrace.server.limits import Limits


def test_running_answers_are_waited_for_and_new_ones_refused(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            direct.serving(Models(model)) as served,
            connected(served.url) as client,
            connected(served.url) as idle,
        ):
            await client.send(chat())
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, "be"))
            assert (await client.head())[0] == 200
            await idle.send(request("GET", "/health"))
            assert (await idle.response()).status == 200
            served.stop()
            while not served.app.draining:
                await asyncio.sleep(0)
            await idle.send(request("GET", "/health"))
            answer = await idle.response()
            assert (answer.status, answer.error["code"]) == (503, "shutting_down")
            assert answer.headers["connection"] == "close"
            assert await idle.rest() == b""
            with pytest.raises(ConnectionRefusedError):
                async with connected(served.url):
                    pass
            source.push(TextDelta(0, "fore"), *END)
            source.end()
            body = await client.response_body()
            assert b"fore" in body
            assert body.endswith(b"data: [DONE]\n\n")
            assert await client.rest() == b""

    direct.run(main())


@pytest.mark.parametrize("how", ["stream", "relay", "silent", "whole"])
def test_what_outlasts_the_drain_is_ended_in_the_clients_protocol(direct: Carrier, how: str) -> None:
    async def main() -> None:
        model = HandModel(relays=how == "relay")
        async with direct.serving(Models(model), Limits(drain_s=0.1)) as served:
            async with connected(served.url) as client:
                await client.send(chat(stream=how != "whole"))
                source = await model.source()
                if how == "stream":
                    source.push(*BEGIN, TextDelta(0, "hi"))
                elif how == "relay":
                    source.push(frames("hi", done=False))
                if how in ("stream", "relay"):
                    assert (await client.head())[0] == 200
                served.stop()
                if how in ("stream", "relay"):
                    *_, error, done, end = unnumbered(await client.response_body()).split(b"\n\n")
                    assert msgspec.json.decode(error[6:])["error"]["code"] == "shutting_down"
                    assert (done, end) == (b"data: [DONE]", b"")
                else:
                    response = await client.response()
                    assert (response.status, response.error["code"]) == (503, "shutting_down")
                assert await client.rest() == b""
                assert source.was_cancelled.is_set()
            assert served.app.counters.failed == 1

    direct.run(main())


def test_half_a_request_does_not_hold_up_the_end(direct: Carrier) -> None:
    async def main() -> None:
        async with direct.serving(Models()) as served, connected(served.url) as client:
            await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
            served.stop()
            with contextlib.suppress(ConnectionResetError):  # where the server had not read it all
                assert await client.rest() == b""

    direct.run(main())


def test_a_reader_that_reads_no_more_does_not_hold_up_the_end(direct: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            direct.serving(Models(model), Limits(drain_s=0.1)) as served,
            connected(served.url, limit=1024, receive_bytes=4096) as client,
        ):
            await client.send(chat())
            source = await model.source()
            source.push(*BEGIN)
            while not source.was_paused.is_set():
                source.push(TextDelta(0, "x" * 10_000))
                await asyncio.sleep(0)
            served.stop()
            async with asyncio.timeout(30):
                while served.count_connections():
                    await asyncio.sleep(0.01)

    direct.run(main())


def test_under_another_server_its_cancelled_tasks_still_tell_the_client() -> None:
    from tests.server.conftest import _CARRIERS

    carrier = _CARRIERS["asgi-h11"]()

    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(chat())
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, "hi"))
            assert (await client.head())[0] == 200
            served.stop()  # which cancels its tasks after its own second of grace
            body = await client.response_body()
            assert b"shutting_down" in body
            assert body.endswith(b"data: [DONE]\n\n")
            assert source.was_cancelled.is_set()

    carrier.run(main())
