"""How late the loop is: seen while it is asked, forgotten when it is well again, and no timer when idle."""

from __future__ import annotations

import asyncio

from headrace.server.lag import LagWatch
from headrace.testing.clock import VirtualClockLoop, run_virtual


def test_a_loop_that_is_held_up_is_late_and_gets_well() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualClockLoop)
        watch = LagWatch()
        assert watch.lag_s() == 0
        loop.advance(1.05)  # as somebody's long computation would
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert 0.9 < watch.lag_s() <= 1.05
        for _ in range(20):
            await asyncio.sleep(0.05)
            watch.lag_s()
        assert watch.lag_s() < 0.01

    run_virtual(main())


def test_nobody_asks_and_there_is_no_timer() -> None:
    async def main() -> None:
        watch = LagWatch()
        watch.lag_s()
        await asyncio.sleep(1)
        assert watch._timer is None
        watch.lag_s()
        watch.close()
        assert watch._timer is None

    run_virtual(main())
