"""The virtual clock."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from headrace.testing import clock
from headrace.testing.clock import VirtualClockLoop, run_virtual


def test_time_jumps_to_the_next_timer() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        order: list[float] = []

        async def sleeper(seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(loop.time())

        await asyncio.gather(sleeper(3600), sleeper(0.5), sleeper(7 * 86400))
        return order

    assert run_virtual(main()) == [0.5, 3600, 7 * 86400]


def test_timeouts_follow_it() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 60


def test_what_can_run_runs_before_time_moves() -> None:
    async def main() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 0


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> tuple[float, str]:
        late = asyncio.ensure_future(asyncio.sleep(1000))
        said = await asyncio.to_thread(lambda: time.sleep(0.02) or "done")
        now = asyncio.get_running_loop().time()
        late.cancel()
        return now, said

    assert run_virtual(main()) == (0, "done")


def test_sockets_work() -> None:
    async def main() -> bytes:
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            far.sendall(b"hello")
            return await asyncio.get_running_loop().sock_recv(near, 5)

    assert run_virtual(main()) == b"hello"


def test_bytes_on_their_way_hold_the_clock() -> None:
    async def main() -> float:
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            sends = threading.Timer(0.02, far.sendall, (b"hello",))  # the far end lives on the wall clock
            sends.start()
            async with asyncio.timeout(60):
                assert await asyncio.get_running_loop().sock_recv(near, 5) == b"hello"
            sends.join()
            return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=lambda: VirtualClockLoop(quiet_s=10)) as runner:
        assert runner.run(main()) == 0


def test_a_program_that_can_never_go_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "STUCK_S", 0.01)

    async def waits_for_nobody() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match=r"stuck.*waits_for_nobody"):
        run_virtual(waits_for_nobody())


def test_the_loop_by_itself() -> None:
    loop = VirtualClockLoop()
    loop.advance(5)
    assert loop.time() == 5
    loop.close()
