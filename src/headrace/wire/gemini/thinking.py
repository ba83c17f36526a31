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

from headrace.wire.gemini.schema import Fields

BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576}
_LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH"}
_OLD = re.compile(r"gemini-(1|2\.0)\b|gemini-pro|gemma")
_BUDGETED = re.compile(r"gemini-2\.5")


def thinking_config(effort: str, model: str, quirks: Mapping[str, Any], warnings: list[str]) -> Fields | None:
    """The vendor's fields for `effort`, with its thoughts in the answer; None where the model takes none."""
    takes = quirks.get("thinking") or _taken_by(model)
    if takes == "none" or effort not in BUDGETS:
        warnings.append(f"reasoning_effort {effort} was left out: this model does not take it")
        return None
    if takes == "budget":
        return {"thinkingBudget": BUDGETS[effort], "includeThoughts": effort != "none"}
    if effort == "none":
        warnings.append("reasoning_effort none was taken for minimal: this model cannot do without thinking")
        return {"thinkingLevel": "MINIMAL"}
    if effort == "xhigh":
        warnings.append("reasoning_effort xhigh was taken for high: this protocol knows no more")
    return {"thinkingLevel": _LEVELS[effort], "includeThoughts": True}


def _taken_by(model: str) -> str:
    return "none" if _OLD.search(model) else "budget" if _BUDGETED.search(model) else "level"


def effort_from(budget: int | None, level: str | None) -> str | None:
    """Our word for what a client asks: that of its level, else the least whose budget is no smaller."""
    if level:
        word = level.lower()
        return word if word in BUDGETS else None
    if budget is None or budget < 0:  # -1 leaves it to the model
        return None
    return next((word for word in ("none", "low", "medium") if budget <= BUDGETS[word]), "high")
