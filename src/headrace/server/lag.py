"""How late the event loop is: the one sign of overload that every kind of work shows."""

from __future__ import annotations

import asyncio

_EVERY_S = 0.05


class LagWatch:
    """Looks while it is asked, and for a little longer: an idle server has no timer."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._asked = False
        self._lag_s = 0.0

    def lag_s(self) -> float:
        """How late the loop has lately been; 0 where nobody asked for a while."""
        self._asked = True
        if self._timer is None:
            self._arm()
        return self._lag_s

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time() + _EVERY_S
        self._timer = loop.call_at(due_s, self._look, loop, due_s)

    def _look(self, loop: asyncio.AbstractEventLoop, due_s: float) -> None:
        late_s = max(loop.time() - due_s, 0.0)
        self._lag_s = max(late_s, self._lag_s / 2)  # one punctual turn does not make it well
        self._timer = None
        if self._asked or self._lag_s > _EVERY_S / 10:
            self._asked = False
            self._arm()
        else:
            self._lag_s = 0.0
