"""The shared timer: never early, at most a tick late, cheap to cancel."""

from __future__ import annotations

import asyncio

from tests.garbage import garbage_of_ours

from headrace.transport.wheel import TICK_S, Wheel


class FakeLoop:
    """A loop of which only the clock and one timer are used; time moves when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.timers: list[FakeTimer] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when: float, callback, *args):
        timer = FakeTimer(when, callback)
        self.timers.append(timer)
        return timer

    def run_until(self, end_s: float, step_s: float = 0.01) -> None:
        while self.now_s < end_s:
            self.now_s += step_s
            due = [timer for timer in self.timers if timer.callback and timer.when <= self.now_s]
            self.timers = [timer for timer in self.timers if timer not in due and timer.callback]
            for timer in due:
                timer.callback()


class FakeTimer:
    def __init__(self, when: float, callback) -> None:
        self.when, self.callback = when, callback

    def cancel(self) -> None:
        self.callback = None


def make() -> tuple[FakeLoop, Wheel]:
    loop = FakeLoop()
    return loop, Wheel(loop)  # type: ignore[arg-type]


def test_fires_once_neither_early_nor_over_a_tick_late() -> None:
    loop, wheel = make()
    fired: dict[float, float] = {}
    for number in range(100):
        delay_s = 0.013 * number
        wheel.after(delay_s, lambda delay_s=delay_s: fired.setdefault(delay_s, loop.now_s - 1000.0))
    loop.run_until(1003.0)
    assert len(fired) == 100
    for delay_s, at_s in fired.items():
        assert delay_s - 1e-9 <= at_s <= delay_s + TICK_S + 0.02


def test_far_deadlines_fire_in_time_too_and_hold_few_places() -> None:
    loop, wheel = make()
    fired: dict[float, float] = {}
    delays_s = [59.97 + 0.7 * number for number in range(120)]
    for delay_s in delays_s:
        wheel.after(delay_s, lambda delay_s=delay_s: fired.setdefault(delay_s, loop.now_s - 1000.0))
    for number in range(20_000):
        wheel.after(100.0 + 0.17 * number, lambda: 1 / 0).cancel()
    assert len(wheel._buckets) < 200
    loop.run_until(1150.0)
    assert list(fired) == delays_s
    for delay_s, at_s in fired.items():
        assert delay_s - 1e-9 <= at_s <= delay_s + TICK_S + 0.02


def test_a_far_deadline_that_is_cancelled_as_it_moves_is_forgotten() -> None:
    loop, wheel = make()
    far = wheel.at(1081.0, lambda: 1 / 0)
    wheel.at(1080.0, far.cancel)  # both wait in the coarse tick of 1080 s
    loop.run_until(1085.0)
    assert len(wheel) == 0


def test_order_is_that_of_the_deadlines_also_within_a_tick() -> None:
    loop, wheel = make()
    fired: list[int] = []
    for number in reversed(range(10)):
        wheel.after(0.2 + number * 0.001, lambda number=number: fired.append(number))
    loop.run_until(1001.0)
    assert fired == list(range(10))


def test_a_cancelled_deadline_is_forgotten_at_once() -> None:
    loop, wheel = make()
    fired: list[str] = []
    keep = wheel.after(0.1, lambda: fired.append("kept"))
    for _ in range(1000):
        wheel.after(600.0, lambda: fired.append("never")).cancel()
    assert len(wheel) == 1
    loop.run_until(1001.0)
    assert fired == ["kept"]
    keep.cancel()
    assert len(wheel) == 0


def test_one_timer_whatever_the_number_of_deadlines() -> None:
    loop, wheel = make()
    for number in range(500):
        wheel.after(number * 0.3, lambda: None)
    assert sum(timer.callback is not None for timer in loop.timers) == 1


def test_a_callback_may_cancel_another_of_its_tick_and_file_itself_again() -> None:
    loop, wheel = make()
    fired: list[str] = []
    second = wheel.after(0.101, lambda: fired.append("second"))

    def first() -> None:
        fired.append("first")
        second.cancel()
        if len(fired) < 3:
            wheel.after(0.1, first)

    wheel.after(0.1, first)
    loop.run_until(1001.0)
    assert fired == ["first", "first", "first"]


def test_what_has_fired_or_is_cancelled_is_freed_without_the_collector() -> None:
    loop, wheel = make()
    for each in range(20):
        wheel.after(0.1 * each, int)
        wheel.after(0.1 * each, int).cancel()
    with garbage_of_ours() as found:
        loop.run_until(1003.0)
    assert found == []
    assert len(wheel) == 0


def test_a_timer_that_comes_early_fires_nothing_early() -> None:
    loop, wheel = make()
    fired: list[float] = []
    wheel.after(0.5, lambda: fired.append(loop.now_s))
    loop.timers[0].callback()  # some loops round timers down
    assert not fired
    loop.run_until(1001.0)
    assert len(fired) == 1
    assert fired[0] >= 1000.5


def test_on_a_real_loop_the_past_fires_soon_and_close_forgets() -> None:
    async def main() -> None:
        wheel = Wheel(asyncio.get_running_loop())
        fired = asyncio.Event()
        wheel.at(wheel.now_s() - 5, fired.set)
        await asyncio.wait_for(fired.wait(), 5)
        wheel.after(0.1, lambda: 1 / 0)
        wheel.close()
        assert len(wheel) == 0

    asyncio.run(main())
