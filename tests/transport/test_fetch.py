"""One request and its whole answer; and the scripted transport that tests it."""

from __future__ import annotations

import asyncio

import pytest

from headrace.errors import StreamTimeoutException, Truncated, Unavailable, WireError
from headrace.testing.recorder import Recorder, turns
from headrace.transport.fake import FakeSender, Play
from headrace.transport.fetch import HttpResponse, fetch
from headrace.transport.http import HttpRequest

ASK = HttpRequest("GET", "http://a.example/x")


def fetched(play: Play, **more: float) -> HttpResponse:
    async def main() -> HttpResponse:
        fake = FakeSender(play)
        try:
            return await fetch(fake, ASK, **more)  # type: ignore[arg-type]
        finally:
            assert fake.calls[0].ended

    return asyncio.run(main())


def test_whole_answers_of_any_status() -> None:
    assert fetched(Play(404, {"a": "b"}, b"hello", 2)) == HttpResponse(404, {"a": "b"}, b"hello")


def test_a_body_over_the_bound() -> None:
    with pytest.raises(WireError) as caught:
        fetched(Play(body=b"hello", cut_bytes=1, end="silence"), max_body_bytes=4)
    assert caught.value.code == "body_too_large"
    assert fetched(Play(body=b"hello", cut_bytes=1), max_body_bytes=5).body == b"hello"


def test_failures_are_raised() -> None:
    with pytest.raises(Unavailable) as refused:
        fetched(Play(fault="connect_refused"))
    assert refused.value.code == "connect_refused"
    with pytest.raises(Truncated):
        fetched(Play(body=b"he", end="cut"))
    with pytest.raises(StreamTimeoutException) as connect:
        fetched(Play(fault="connect_timeout"))
    assert connect.value.code == "connect"


@pytest.mark.parametrize("play", [Play(fault="silence"), Play(body=b"he", end="silence")])
def test_the_total_clock(play: Play) -> None:
    with pytest.raises(StreamTimeoutException) as caught:
        fetched(play, total_s=0.02)
    assert caught.value.code == "total"


def test_a_cancelled_wait_cancels_the_call() -> None:
    async def main() -> None:
        fake = FakeSender(Play(fault="silence"))
        task = asyncio.create_task(fetch(fake, ASK))
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert fake.calls[0].cancelled

    asyncio.run(main())


def test_the_fake_plays_one_step_a_turn_and_waits_while_paused() -> None:
    async def main() -> None:
        fake = FakeSender(Play(body=[b"a", b"", b"b"]))
        recorder = Recorder()
        call = fake.send(ASK, recorder)
        assert (recorder.status, recorder.parts) == (0, [])
        await asyncio.sleep(0)
        assert recorder.status == 200
        call.pause()
        await turns()
        assert recorder.parts == []
        call.resume()
        await turns()
        assert recorder.parts == [b"a", b"b"]
        assert recorder.ends == [None]
        with pytest.raises(AssertionError, match="nothing is scripted for request 2"):
            fake.send(ASK, recorder)

    asyncio.run(main())
