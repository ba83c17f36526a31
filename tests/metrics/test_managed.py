"""A `StreamManager` with the real trackers, as the documents put them together."""

from __future__ import annotations

import asyncio

from headrace import MetricsTracker, StreamingMetricsTracker
from headrace.sessions.managed.types import StreamType
from headrace.sessions.manager import StreamManager

CHAT = "/v1/chat/completions"


def test_a_managed_stream_is_tracked() -> None:
    basic, streaming = MetricsTracker(), StreamingMetricsTracker()

    async def main() -> int:
        manager = StreamManager(metrics_tracker=basic, streaming_metrics_tracker=streaming)
        chunks = [
            chunk
            async for chunk in manager.create_stream(
                stream_type=StreamType.CHAT,
                model="gpt-4o",
                full_response="one two three",
                endpoint=CHAT,
                client_id="ann",
            )
        ]
        return len(chunks)

    assert asyncio.run(main()) > 1
    figures = basic.get_metrics()[CHAT]
    assert (figures.requests, figures.responses, figures.errors) == (1, 1, 0)
    assert figures.tokens > 0
    assert streaming.get_metrics().outcomes["finished"] == 1
    behaviour = streaming.get_client_behaviour("ann")
    assert behaviour is not None
    assert (behaviour.streams, behaviour.completed) == (1, 1)
    assert behaviour.tokens > 0
