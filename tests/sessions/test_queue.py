"""Whose turn it is: turns are counted, not timed."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from headrace.sessions.queue import FairQueue

AGEING_TURNS = 4


def always(_model: str) -> bool:
    return True


def queue_of(*waiting: tuple[int, str], model: str = "m") -> FairQueue[str]:
    """priority and owner of each; items are named owner:priority:number."""
    queue: FairQueue[str] = FairQueue(AGEING_TURNS)
    for number, (priority, owner) in enumerate(waiting):
        queue.add(f"{owner}:{priority}:{number}", model=model, priority=priority, owner=owner)
    return queue


def taken(queue: FairQueue[str], turns: int) -> list[str]:
    return [str(queue.take(always)) for _ in range(turns)]


def test_the_urgent_go_first_and_each_line_in_its_order() -> None:
    queue = queue_of((9, "a"), (5, "a"), (5, "a"), (0, "a"))
    assert taken(queue, 5) == ["a:0:3", "a:5:1", "a:5:2", "a:9:0", "None"]
    assert len(queue) == 0


def test_owners_take_turns_however_much_one_of_them_asks() -> None:
    queue = queue_of(*[(5, "greedy")] * 50, (5, "a"), (5, "b"))
    owners = [item.split(":")[0] for item in taken(queue, 6)]
    assert owners == ["greedy", "a", "b", "greedy", "greedy", "greedy"]


def test_nobody_is_starved_by_a_stream_of_urgent_ones() -> None:
    queue = queue_of((9, "low"))
    turn = 0
    while True:
        queue.add(f"urgent:{turn}", model="m", priority=0, owner="urgent")
        turn += 1
        if queue.take(always) == "low:9:0":
            break
    assert turn == 9 * AGEING_TURNS + 1  # one priority more urgent after each `AGEING_TURNS` turns


def test_a_lane_that_had_its_turn_waits_anew() -> None:
    queue = queue_of(*[(9, "low")] * 2)
    seen = []
    for turn in range(20 * AGEING_TURNS):
        queue.add(f"urgent:{turn}", model="m", priority=0, owner="urgent")
        seen.append(str(queue.take(always)).startswith("low"))
    first, second = (at for at, low in enumerate(seen) if low)
    assert second - first == 9 * AGEING_TURNS + 1


def test_a_model_without_a_place_holds_nobody_else_up() -> None:
    queue = queue_of((0, "a"), model="busy")
    queue.add("other", model="free", priority=9, owner="b")
    assert queue.take(lambda model: model == "free") == "other"
    assert queue.take(lambda model: model == "free") is None
    assert len(queue) == 1


def test_who_leaves_is_out_at_once_and_nothing_stays_behind() -> None:
    queue = queue_of((5, "a"), (5, "a"), (5, "b"))
    queue.remove("a:5:0", model="m", priority=5, owner="a")
    queue.remove("a:5:0", model="m", priority=5, owner="a")  # it is not there: nothing happens
    queue.remove("x", model="other", priority=1, owner="nobody")
    assert len(queue) == 2
    assert taken(queue, 3) == ["a:5:1", "b:5:2", "None"]
    assert queue._lanes == {}


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc"), st.sampled_from("xy")), max_size=60),
    st.data(),
)
def test_each_is_taken_once_or_removed(waiting: list[tuple[int, str, str]], data: st.DataObject) -> None:
    queue: FairQueue[int] = FairQueue(AGEING_TURNS)
    for number, (priority, owner, model) in enumerate(waiting):
        queue.add(number, model=model, priority=priority, owner=owner)
    gone = data.draw(st.sets(st.integers(0, max(len(waiting) - 1, 0)), max_size=len(waiting)))
    for number in gone & set(range(len(waiting))):
        priority, owner, model = waiting[number]
        queue.remove(number, model=model, priority=priority, owner=owner)
    left = set(range(len(waiting))) - gone
    assert len(queue) == len(left)
    out = [queue.take(always) for _ in left]
    assert Counter(out) == Counter(left)
    assert queue.take(always) is None
    assert queue._lanes == {}
