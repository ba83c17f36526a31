"""When an answer came: the wires have no clock, and `retry-after` may be a date."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def dated(headers: Mapping[str, str], now_s: Callable[[], float] = time.time) -> Mapping[str, str]:
    """The header fields with the time they came as `date`, where a wait is asked for and they tell none.

    headers: names in lower case. now_s: Unix seconds.
    """
    if "retry-after" not in headers or "date" in headers:
        return headers
    from email.utils import formatdate  # slow to import, rarely needed

    return {**headers, "date": formatdate(now_s(), usegmt=True)}
