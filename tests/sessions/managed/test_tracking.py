"""What a manager tells trackers, and that trackers harm no stream."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from tests.sessions.managed.making import Making

from headrace import MetricsTracker, StreamingMetricsTracker, StreamManager
from headrace.testing.clock import run_virtual


class Told:
    """A tracker of either kind: notes what it is told."""

    def __init__(self, *methods: str) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        for name in methods:
            setattr(self, name, self._noting(name))

    def _noting(self, name: str) -> Any:
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))


def requests() -> Any:
    return Told("record_request", "record_tokens", "record_response", "record_error")


def streams(*more: str) -> Any:
    return Told("start_stream", "record_token", "complete_stream", "cancel_stream", *more)


async def run(manager: StreamManager, made: Making, **asked: Any) -> str:
    stream = manager.create_stream(
        "chat", "m", generator=made, endpoint="/v1/chat/completions", client_id="user-123", **asked
    )
    try:
        async for _ in stream:
            pass
    except Exception:  # noqa: BLE001 - what the trackers were told is the test
        pass
    return stream.stream_id


def test_a_stream_that_ends_well() -> None:
    basic, detailed = requests(), streams()

    async def main() -> str:
        manager = StreamManager(basic, detailed)
        return await run(manager, Making(2, every_s=1.0), prompt_tokens=150, temperature=0.7, max_tokens=1000)

    id = run_virtual(main())
    assert [(name, args) for name, args, _ in basic.calls] == [
        ("record_request", ("/v1/chat/completions", "m")),
        ("record_tokens", ("/v1/chat/completions", 0)),
        ("record_response", ("/v1/chat/completions", pytest.approx(2.0))),
    ]
    assert [(name, kwargs) for name, _, kwargs in detailed.calls] == [
        (
            "start_stream",
            {
                "stream_id": id,
                "model": "m",
                "prompt_tokens": 150,
                "temperature": 0.7,
                "max_tokens": 1000,
                "client_id": "user-123",
            },
        ),
        ("record_token", {"stream_id": id, "token": "0 "}),
        ("record_token", {"stream_id": id, "token": "1 "}),
        ("complete_stream", {"stream_id": id, "finish_reason": "stop", "client_id": "user-123"}),
    ]


@pytest.mark.parametrize(
    ("made", "code"),
    [(Making(1, error="broken"), "generation"), (Making(1, hang=True), "stream_timeout")],
)
def test_a_stream_that_fails(made: Making, code: str) -> None:
    basic, plain, richer = requests(), streams(), streams("fail_stream")
    run_virtual(run(StreamManager(basic, plain), made, timeout_seconds=5.0))
    assert basic.calls[-1][:2] == ("record_error", ("/v1/chat/completions", code))
    assert plain.calls[-1][0] == "cancel_stream"
    run_virtual(run(StreamManager(None, richer), made, timeout_seconds=5.0))
    assert richer.calls[-1][0] == "fail_stream"


def test_a_stream_that_is_cancelled() -> None:
    basic, richer = requests(), streams("fail_stream")

    async def main() -> None:
        manager = StreamManager(basic, richer)
        for close in (True, False):
            stream = manager.create_stream("chat", generator=Making(5, every_s=1.0))
            await anext(stream)
            await (stream.aclose() if close else manager.cancel_stream(stream.stream_id))

    run_virtual(main())
    errors = [args[1] for name, args, _ in basic.calls if name == "record_error"]
    assert errors == ["stream_cancelled", "stream_cancelled"]
    assert [name for name, _, _ in richer.calls if name in ("cancel_stream", "fail_stream")] == [
        "cancel_stream",
        "cancel_stream",
    ]


def test_a_tracker_that_raises_harms_no_stream_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        manager = StreamManager(object(), object())  # type: ignore[arg-type] - every call is an AttributeError
        stream = manager.create_stream("chat", generator=Making(3))
        assert len([chunk async for chunk in stream]) == 3
        assert manager._tracking is not None
        assert manager._tracking.errors == 8

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert len(caplog.records) == 1


def test_without_metrics_nothing_is_measured_and_nobody_told() -> None:
    basic, detailed = requests(), streams()

    async def main() -> None:
        manager = StreamManager(basic, detailed, enable_metrics=False)
        id = await run(manager, Making(2))
        assert await manager.get_stream_metrics(id) is None

    asyncio.run(main())
    assert (basic.calls, detailed.calls) == ([], [])


def test_the_trackers_of_the_house() -> None:
    basic, detailed = MetricsTracker(), StreamingMetricsTracker()

    async def main() -> str:
        manager = StreamManager(basic, detailed)
        stream = manager.create_stream("chat", "m", full_response="a b c", client_id="c")
        async for _ in stream:
            pass
        await run(manager, Making(1, error="broken"))
        return stream.stream_id

    id = asyncio.run(main())
    figures = basic.get_metrics()["/v1/chat/completions"]
    assert (figures.requests, figures.responses, figures.tokens, figures.errors) == (2, 1, 3, 1)
    told = detailed.get_stream_metrics(id)
    assert told is not None
    assert told.pieces == 3
    assert detailed.get_metrics().outcomes["failed"] == 1
