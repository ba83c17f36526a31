"""The two ends of a push pipe, `Source` and `Sink`: plain calls, no task, queue or `await` a chunk.

The driver calls `Source.start(sink)` once. The source then calls `sink.push(batch)` as chunks come and
`sink.end(terminal)` exactly once, on the event loop's thread, never from inside `start` itself (so that a
caller can finish wiring up) and never after `end`. `pause` and `resume` are the only flow control: a paused
source may still push what it had already read. `cancel` works from every state, more than once, before the
first chunk too; a cancelled source frees what it holds at once and ends with `Cancelled`.
"""

from __future__ import annotations

from headrace.core.model import Sink, Source

__all__ = ["Sink", "Source"]
