"""The figures in the docs come from results, and only the part between the markers changes."""

from __future__ import annotations

import pytest
from benchmarks.rig.docs import BEGIN, END, PAGE, page_with
from benchmarks.rig.result import Check, Claim, Result


def sample() -> Result:
    result = Result("gateway", "The gateway", {})
    result.add_run("spread", "headrace", "us", 12.5)
    result.claims = [Claim("kept one", 1.2, limit=1.6), Claim("broken one", 1.7, limit=1.6)]
    result.checks = [Check("cut stream", True), Check("garbled stream", False)]
    return result


def test_only_the_part_between_the_markers_changes() -> None:
    once = page_with([sample()], f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert once.startswith(f"before\n{BEGIN}\n")
    assert once.endswith(f"{END}\nafter\n")
    assert "old" not in once
    assert page_with([sample()], once) == once


def test_a_broken_claim_and_a_failed_check_are_said_aloud() -> None:
    page = page_with([sample()], BEGIN + END)
    assert "| kept one | 1.2 x | <= 1.6 x, kept |" in page
    assert "| broken one | 1.7 x | <= 1.6 x, **broken** |" in page
    assert "- cut stream: yes" in page
    assert "- garbled stream: **no**" in page
    assert "| spread | headrace | 12.5 | 12.5 .. 12.5 | us |" in page


def test_the_page_has_its_markers() -> None:
    assert BEGIN in page_with([sample()], PAGE.read_text())


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="figures"):
        page_with([sample()], "no markers")
