"""A budget of reasoning stays a number where the other protocol has one, and is a word where it has none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.core.message import user
from headrace.core.request import GenerationSettings, Request
from headrace.wire import wire_named

BUDGET = {"thinking": "budget"}


def built(wire: str, quirks: dict[str, Any], **settings: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    request = Request("m", (user("x"),), GenerationSettings(**settings))
    asked = wire_named(wire).build(request, quirks)
    return json.loads(asked.body), asked.warnings


@pytest.mark.parametrize("budget", [2000, 5000, 12345])
def test_a_number_stays_a_number(budget: int) -> None:
    body, warnings = built("anthropic", BUDGET, max_tokens=32000, reasoning_budget_tokens=budget)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert warnings == ()
    body, warnings = built("gemini", BUDGET, reasoning_budget_tokens=budget)
    assert body["generationConfig"]["thinkingConfig"] == {"thinkingBudget": budget, "includeThoughts": True}
    assert warnings == ()


@pytest.mark.parametrize(
    ("wire", "path", "word"),
    [
        ("openai_chat", ("reasoning_effort",), "medium"),
        ("openai_responses", ("reasoning", "effort"), "medium"),
        ("anthropic", ("output_config", "effort"), "medium"),
        ("gemini", ("generationConfig", "thinkingConfig", "thinkingLevel"), "MEDIUM"),
        ("ollama", ("think",), True),
        ("ui_messages", ("reasoning",), "medium"),
    ],
)
def test_it_is_a_word_where_the_protocol_takes_words(wire: str, path: tuple[str, ...], word: Any) -> None:
    body, warnings = built(wire, {}, max_tokens=32000, reasoning_budget_tokens=5000)
    found: Any = body
    for step in path:
        found = found[step]
    assert found == word
    assert "reasoning_budget_tokens 5000 was said as medium: this protocol takes a word" in warnings
    _, warnings = built(wire, {}, max_tokens=32000, reasoning_budget_tokens=5000, reasoning_effort="medium")
    assert not any("budget" in one for one in warnings)


def test_a_budget_that_does_not_fit_is_moved_and_said() -> None:
    body, (said,) = built("anthropic", BUDGET, max_tokens=4000, reasoning_budget_tokens=9000)
    assert body["thinking"]["budget_tokens"] == 2000
    assert "moved from 9000 to 2000" in said
    body, (said,) = built("anthropic", BUDGET, max_tokens=4000, reasoning_budget_tokens=10)
    assert (body["thinking"]["budget_tokens"], "moved from 10 to 1024" in said) == (1024, True)


@pytest.mark.parametrize("wire", ["openai_completions", "tgi"])
def test_it_is_told_where_there_is_no_place(wire: str) -> None:
    _, warnings = built(wire, {}, reasoning_budget_tokens=5000)
    assert any("reasoning_effort was left out" in one for one in warnings)


def test_the_words_and_their_tokens() -> None:
    told = {
        tokens: GenerationSettings(reasoning_budget_tokens=tokens).effort
        for tokens in (0, 1, 2000, 9000, 10**6)
    }
    assert told == {0: "none", 1: "minimal", 2000: "low", 9000: "high", 10**6: "max"}
