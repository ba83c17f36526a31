"""The arithmetic that the benchmarks' claims rest on."""

from __future__ import annotations

import pytest
from benchmarks.rig.figures import growth_an_hour, paired_difference, paired_ratio, percentile, rotated
from hypothesis import given
from hypothesis import strategies as st

FIGURES = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7.0], 50, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 75, 3.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 101)], 100, 100.0),
    ],
)
def test_percentile_is_the_nearest_rank(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


@given(FIGURES, st.floats(0.1, 100))
def test_percentile_covers_its_share(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    covered = sum(value <= found for value in values)
    assert found in values
    assert covered >= len(values) * percent / 100 - 1e-9


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_percentile_of_nothing_is_an_error(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


def test_ratios_are_paired_run_by_run() -> None:
    slow_machine_twice = [10.0, 10.0, 30.0, 30.0, 10.0]
    assert paired_ratio([1.5 * value for value in slow_machine_twice], slow_machine_twice) == 1.5
    assert paired_difference([5.0, 1.0, 9.0], [4.0, 2.0, 5.0]) == 1.0


@pytest.mark.parametrize(("ours", "theirs"), [([], []), ([1.0], [1.0, 2.0])])
def test_unpaired_runs_give_no_ratio(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ValueError, match="paired"):
        paired_ratio(ours, theirs)
    with pytest.raises(ValueError, match="paired"):
        paired_difference(ours, theirs)


def test_each_contestant_runs_first_in_turn() -> None:
    names = ["a", "b", "c"]
    assert [rotated(names, turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]
    assert all(sorted(rotated(names, turn)) == names for turn in range(4))


def test_growth_is_that_of_the_line_through_all() -> None:
    at_s = [0.0, 900.0, 1800.0, 2700.0]
    assert growth_an_hour(at_s, [10.0, 11.0, 12.0, 13.0]) == pytest.approx(4.0)
    assert growth_an_hour(at_s, [5.0, 7.0, 7.0, 5.0]) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("at_s", "values"), [([], []), ([1.0], [1.0]), ([1.0, 1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0])]
)
def test_no_line_goes_through_one_moment(at_s: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="no line"):
        growth_an_hour(at_s, values)
