"""How much to think: our `reasoning_effort` and the vendor's thinking, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.core.request import Request
from headrace.wire.anthropic.block_bodies import Fields, own
from headrace.wire.kept import warn

MIN_BUDGET_TOKENS = 1024  # the least the protocol takes
# Tokens that stand for an effort where the model wants a number. Ours: the vendor tells none.
BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 49152}
EFFORTS = ("low", "medium", "high", "xhigh", "max")


def think(request: Request, quirks: Mapping[str, Any], body: Fields, warnings: list[str]) -> None:
    """Say the effort in the body, as the provider takes it; a caller of this wire has his own words."""
    effort = request.settings.reasoning_effort
    if effort is None:
        return
    told = own(request.vendor)
    if "thinking" in told or "output_config" in told:
        return
    way = quirks.get("thinking", "adaptive")
    if way == "none":
        warn(warnings, "reasoning_effort was left out: this provider does not take it")
    elif effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif effort not in BUDGETS:
        warn(warnings, f"reasoning_effort was left out: this protocol does not know {effort!r}")
    elif way == "budget":
        _budget(effort, request.settings.max_tokens, body, warnings)
    else:
        if effort not in EFFORTS:
            warn(warnings, f"reasoning_effort {effort} was raised to low, the least this protocol has")
        body["output_config"] = {"effort": effort if effort in EFFORTS else "low"}
        body["thinking"] = {"type": "adaptive"}


def _budget(effort: str, max_tokens: int | None, body: Fields, warnings: list[str]) -> None:
    """A budget below max_tokens, which bounds thinking and answer together."""
    budget = BUDGETS[effort]
    if max_tokens is None:
        body["max_tokens"] += budget
    elif max_tokens <= MIN_BUDGET_TOKENS:
        warn(warnings, "reasoning_effort was left out: max_tokens leaves no room for thinking")
        return
    else:
        budget = max(MIN_BUDGET_TOKENS, min(budget, max_tokens // 2))
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}


def effort_of(thinking: Fields | None, effort: str | None) -> str | None:
    """Our effort for what a client says: its own word, or the one nearest to its budget."""
    if effort is not None:
        return effort
    kind = (thinking or {}).get("type")
    if kind == "disabled":
        return "none"
    budget = (thinking or {}).get("budget_tokens")
    if kind != "enabled" or not isinstance(budget, int):
        return None
    return next((word for word, tokens in BUDGETS.items() if budget <= tokens), "max")
