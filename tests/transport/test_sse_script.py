"""`test_mode`: the whole client without a network; and time, on a virtual clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from headrace.core.chunk import Failure
from headrace.errors import RequestError, StreamTimeoutException, Truncated
from headrace.framing.sse import Event, encode_event
from headrace.testing.clock import run_virtual
from headrace.transport.http import Call, HttpRequest, Receiver
from headrace.transport.refusal import retry_after_s
from headrace.transport.sse import stream_sse
from headrace.transport.sse_script import SCRIPTS, Script, ScriptedSender
from headrace.transport.sse_source import Reconnection
from headrace.transport.wheel import Wheel


async def everything(mode: str) -> list[Event]:
    async with stream_sse(test_mode=mode) as events:  # type: ignore[arg-type]
        return [event async for event in events]


def test_basic() -> None:
    events = asyncio.run(everything("basic"))
    assert events == [Event("message", "Hello"), Event("message", "from"), Event("message", "Headrace")]


def test_openai() -> None:
    events = asyncio.run(everything("openai"))
    assert events[-1].data == "[DONE]"
    deltas = [json.loads(one.data)["choices"][0]["delta"].get("content", "") for one in events[:-1]]
    assert "".join(deltas) == "Hello world"


def test_multi_line() -> None:
    assert asyncio.run(everything("multi_line")) == [
        Event("note", "first line\nsecond line\n\nfourth line", "1", 1000),
        Event("message", "cut in the middle\nand two lines", "1"),
        Event("message", "CR and\nCRLF\narrive as LF", "2"),
    ]


def test_error() -> None:
    async def main() -> None:
        async with stream_sse(test_mode="error") as events:
            assert [(await anext(events)).data, (await anext(events)).data] == ["one", "two"]
            with pytest.raises(Truncated):
                await anext(events)
            assert events.last_event_id == "2"

    asyncio.run(main())


def test_a_script_is_played_again_only_when_asked_to() -> None:
    async def main() -> float:
        async with stream_sse(test_mode="basic", reconnect=True) as events:
            for _ in range(7):
                await anext(events)
            assert events.reconnections == 2
        return asyncio.get_running_loop().time()

    assert 6.0 <= run_virtual(main()) < 6.3


def test_a_script_needs_no_other_sender() -> None:
    with pytest.raises(RequestError, match="sender"):
        stream_sse(test_mode="basic", sender=ScriptedSender(SCRIPTS["basic"]))


def test_a_script_waits_for_a_slow_reader() -> None:
    async def main() -> None:
        reads = tuple(encode_event(str(n)) for n in range(50))
        sender = ScriptedSender(Script(reads))
        async with stream_sse("http://x/", sender=sender, max_buffer=3, reconnect=False) as it:
            assert (await anext(it)).data == "0"
            await asyncio.sleep(1)
            assert len(it._inbox.items) <= 3
            assert [event.data async for event in it] == [str(n) for n in range(1, 50)]

    run_virtual(main())


class Moments:
    """A sender that notes when it is asked and does the next of `acts` to the receiver (then the last)."""

    def __init__(self, *acts: Callable[[Receiver], None]) -> None:
        self.acts = list(acts)
        self.at_s: list[float] = []
        self.cancelled = 0
        self._wheel: Wheel | None = None

    @property
    def wheel(self) -> Wheel:
        self._wheel = self._wheel or Wheel(asyncio.get_running_loop())
        return self._wheel

    def send(self, request: HttpRequest, receiver: Receiver, *, connect_s: float = 30.0) -> Call:
        loop = asyncio.get_running_loop()
        self.at_s.append(loop.time())
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        loop.call_soon(act, receiver)
        return self

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def cancel(self) -> None:
        self.cancelled += 1


def opens(receiver: Receiver, body: bytes = b"data: a\n\n") -> None:
    receiver.head(200, {"content-type": "text/event-stream"})
    receiver.data(body)


def opens_and_ends(receiver: Receiver) -> None:
    opens(receiver)
    receiver.done()


def refuses(receiver: Receiver) -> None:
    receiver.lost(Failure("unavailable", "refused", "connect_refused", retryable=True))


def busy(receiver: Receiver) -> None:
    receiver.head(429, {"retry-after": "40"})
    receiver.done()


def gaps(moments: Moments) -> list[float]:
    return [round(b - a, 1) for a, b in zip(moments.at_s, moments.at_s[1:], strict=False)]


async def drained(moments: Moments, **options: object) -> list[Event]:
    async with stream_sse("http://x/", sender=moments, **options) as events:  # type: ignore[arg-type]
        return [event async for event in events]


def test_attempts_in_vain_wait_twice_as_long_each_time() -> None:
    moments = Moments(opens_and_ends, refuses)

    async def main() -> None:
        with pytest.raises(Exception, match="refused"):
            await drained(moments, max_reconnects=6, max_retry_interval=30.0)

    run_virtual(main())
    assert gaps(moments) == pytest.approx([3, 6, 12, 24, 30, 30], abs=0.11)


def test_retry_after_is_waited_for_and_an_event_starts_anew() -> None:
    moments = Moments(opens_and_ends, busy, opens_and_ends, refuses)

    async def main() -> None:
        with pytest.raises(Exception, match="refused"):
            await drained(moments, max_reconnects=2)

    run_virtual(main())
    assert gaps(moments) == pytest.approx([3, 40, 3, 6], abs=0.11)


def test_the_head_must_come_in_time() -> None:
    moments = Moments(lambda receiver: None)

    async def main() -> float:
        with pytest.raises(StreamTimeoutException):
            await drained(moments)
        return asyncio.get_running_loop().time()

    assert 30 <= run_virtual(main()) < 30.2
    assert moments.cancelled == 1


def test_a_refusal_that_never_ends_is_told_all_the_same() -> None:
    moments = Moments(lambda receiver: receiver.head(401, {}))

    async def main() -> None:
        with pytest.raises(Exception, match="answered 401"):
            await drained(moments)

    run_virtual(main())


def test_comments_are_no_silence() -> None:
    def lives_for_50_s(receiver: Receiver) -> None:
        opens(receiver)
        loop = asyncio.get_running_loop()
        for second in range(5, 51, 5):
            loop.call_later(second, receiver.data, b": ping\n")

    moments = Moments(lives_for_50_s)

    async def main() -> float:
        with pytest.raises(StreamTimeoutException) as caught:
            await drained(moments, idle_timeout=8.0, reconnect=False)
        assert caught.value.code == "idle"
        return asyncio.get_running_loop().time()

    assert 58 <= run_virtual(main()) < 58.2


def test_a_slow_reader_is_not_a_silent_server() -> None:
    def floods(receiver: Receiver) -> None:
        opens(receiver, b"data: a\n\n" * 10)

    moments = Moments(floods)

    async def main() -> None:
        async with stream_sse(
            "http://x/", sender=moments, idle_timeout=5.0, max_buffer=4, reconnect=False
        ) as events:
            await anext(events)
            await asyncio.sleep(60)
            for _ in range(9):
                await anext(events)
            with pytest.raises(StreamTimeoutException):
                await anext(events)

    run_virtual(main())


def test_delay() -> None:
    again = Reconnection(True, 3.0, 60.0, None)
    assert [again.delay_s(3.0, misses, 0.0) for misses in (1, 2, 5, 6, 10_000)] == [3, 6, 48, 60, 60]
    assert again.delay_s(0.0, 5, 0.0) == 0
    assert again.delay_s(3.0, 1, 10.0) == 10
    assert again.delay_s(2.0**53, 1, 0.0) == 60


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("\u0667", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("9" * 400, 999_999_999_999.0),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": value}) == seconds


def test_retry_after_as_a_date_to_come() -> None:
    wait_s = retry_after_s({"retry-after": "Fri, 31 Dec 2199 23:59:59 GMT"})
    assert wait_s is not None
    assert wait_s > 1e9
