"""How much to think: the vendor's `thinkingConfig` and our `reasoning_effort`.

Gemini 3 and later take a level, 2.5 a budget in tokens, earlier ones neither. The budgets are
ours, in the order of size that Google's OpenAI-compatible endpoint is known for; no page was read for them.
The quirk `thinking` ("level", "budget" or "none") says what a provider's models take; without it
the model's name does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headrace.core.excerpt import excerpt
from headrace.core.request import GenerationSettings
from headrace.wire.effort import warn_of_word
from headrace.wire.gemini.schema import Fields
from headrace.wire.kept import warn

BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576}
_LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH"}
_OLD = re.compile(r"gemini-(1|2\.0)\b|gemini-pro|gemma")
_BUDGETED = re.compile(r"gemini-2\.5")


def thinking_config(
    settings: GenerationSettings, model: str, quirks: Mapping[str, Any], warnings: list[str]
) -> Fields | None:
    """The vendor's fields, with the thoughts in the answer; None where the model takes none."""
    effort = settings.effort
    if effort is None:
        return None
    takes = quirks.get("thinking") or _taken_by(model)
    if takes == "budget" and settings.reasoning_budget_tokens is not None:
        budget = settings.reasoning_budget_tokens
        return {"thinkingBudget": budget, "includeThoughts": budget > 0}
    effort = "xhigh" if effort == "max" else effort
    if takes == "none" or effort not in BUDGETS:
        warn(warnings, f"reasoning_effort {excerpt(effort)} was left out: this model does not take it")
        return None
    if takes == "budget":
        return {"thinkingBudget": BUDGETS[effort], "includeThoughts": effort != "none"}
    warn_of_word(settings, warnings)
    if effort == "none":
        warn(warnings, "reasoning_effort none was taken for minimal: this model cannot do without thinking")
        return {"thinkingLevel": "MINIMAL"}
    if effort == "xhigh":
        warn(warnings, "reasoning_effort xhigh was taken for high: this protocol knows no more")
    return {"thinkingLevel": _LEVELS[effort], "includeThoughts": True}


def _taken_by(model: str) -> str:
    return "none" if _OLD.search(model) else "budget" if _BUDGETED.search(model) else "level"


def effort_from(level: str | None) -> str | None:
    """Our word for a client's level."""
    word = (level or "").lower()
    return word if word in BUDGETS else None


def budget_from(budget: int | None) -> int | None:
    """The budget that a client names; -1 leaves it to the model."""
    return budget if budget is not None and budget >= 0 else None
