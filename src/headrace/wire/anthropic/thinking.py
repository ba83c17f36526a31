"""How much to think: our `reasoning_effort` and the vendor's thinking, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.core.excerpt import excerpt
from headrace.core.request import GenerationSettings, Request
from headrace.wire.anthropic.block_bodies import Fields, own
from headrace.wire.effort import warn_of_word
from headrace.wire.kept import warn

MIN_BUDGET_TOKENS = 1024  # the least the protocol takes
# Tokens that stand for an effort where the model wants a number. Ours: the vendor tells none.
BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 49152}
EFFORTS = ("low", "medium", "high", "xhigh", "max")


def think(request: Request, quirks: Mapping[str, Any], body: Fields, warnings: list[str]) -> None:
    """Say the effort in the body, as the provider takes it; a caller of this wire has his own words."""
    settings = request.settings
    effort = settings.effort
    told = own(request.vendor)
    if effort is None or "thinking" in told or "output_config" in told:
        return
    way = quirks.get("thinking", "adaptive")
    if way == "none":
        warn(warnings, "reasoning_effort was left out: this provider does not take it")
    elif effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif effort not in BUDGETS:
        warn(warnings, f"reasoning_effort was left out: this protocol does not know {excerpt(effort)!r}")
    elif way == "budget":
        _budget(settings, effort, body, warnings)
    else:
        warn_of_word(settings, warnings)
        if effort not in EFFORTS:
            warn(warnings, f"reasoning_effort {effort} was raised to low, the least this protocol has")
        body["output_config"] = {"effort": effort if effort in EFFORTS else "low"}
        body["thinking"] = {"type": "adaptive"}


def _budget(settings: GenerationSettings, effort: str, body: Fields, warnings: list[str]) -> None:
    """A budget below max_tokens, which bounds thinking and answer together."""
    wanted, max_tokens = settings.reasoning_budget_tokens, settings.max_tokens
    budget = max(MIN_BUDGET_TOKENS, BUDGETS[effort] if wanted is None else wanted)
    if max_tokens is None:
        body["max_tokens"] += budget
    elif max_tokens <= MIN_BUDGET_TOKENS:
        warn(warnings, "reasoning_effort was left out: max_tokens leaves no room for thinking")
        return
    elif budget >= max_tokens or wanted is None:
        budget = max(MIN_BUDGET_TOKENS, min(budget, max_tokens // 2))
    if wanted not in (None, budget):
        why = f"it must be at least {MIN_BUDGET_TOKENS} and below max_tokens"
        warn(warnings, f"reasoning_budget_tokens was moved from {wanted} to {budget}: {why}")
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}


def effort_of(thinking: Fields | None, effort: str | None) -> str | None:
    """Our effort for what a client says in words."""
    return "none" if effort is None and (thinking or {}).get("type") == "disabled" else effort


def budget_of(thinking: Fields | None) -> int | None:
    """The budget that a client names."""
    if thinking is None or thinking.get("type") != "enabled":
        return None
    budget = thinking.get("budget_tokens")
    return budget if type(budget) is int and budget >= 0 else None
