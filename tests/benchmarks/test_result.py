"""Results as data: runs gathered by case, claims judged, JSON there and back."""

from __future__ import annotations

from pathlib import Path

from benchmarks.rig.result import Check, Claim, Result, read, write


def sample() -> Result:
    result = Result("sample", "A sample", {"runs": 3})
    for value in (3.0, 1.0, 2.0):
        result.add_run("spread", "headrace", "us", value)
        result.add_run("spread", "nginx", "us", value * 2)
    return result


def test_runs_stay_in_order_and_the_median_is_of_all() -> None:
    result = sample()
    assert result.runs("spread", "headrace") == [3.0, 1.0, 2.0]
    assert [row.median for row in result.measures] == [2.0, 4.0]
    assert result.runs("spread", "absent") == []


def test_a_result_holds_only_with_every_claim_and_check() -> None:
    result = sample()
    assert result.held
    result.claims.append(Claim("told only", 99.0))
    result.claims.append(Claim("at the bound", 1.6, limit=1.6))
    assert result.held
    result.checks.append(Check("truth", False))
    assert not result.held
    result.checks.clear()
    result.claims.append(Claim("over the bound", 1.61, limit=1.6))
    assert not result.held


def test_json_there_and_back(tmp_path: Path) -> None:
    result = sample()
    result.claims.append(Claim("ratio", 0.5, limit=1.0))
    again = read(write(result, tmp_path))
    assert again == result
    assert again.machine.cores >= 1
    assert again.machine.versions["headrace"] != "absent"
