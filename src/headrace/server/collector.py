"""When the garbage collector looks: seldom at everything, as no stream moves while it does."""

from __future__ import annotations

import gc

# Middle collections between two looks at everything; Python's own is 10. Before Python 3.14, which looks at a
# part at a time and ignores it.
_FULL_AFTER = 1000


def quieten_collector() -> None:
    """Keep what has been loaded out of its sight, and have it seldom look at all that streams hold.

    With 5,000 streams that look took 0.3 s, several times as they were opened and again and again as streams
    came and went. What streams hold is freed without it, as no cycles are left of them; what others
    leave is mostly young and found as ever. Once for a process, when all is loaded.
    Source: Python's `gc` documentation, read 2026-11-25; docs/decisions/2026-11-25-collector.md.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _FULL_AFTER)
