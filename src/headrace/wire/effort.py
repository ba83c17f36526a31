"""A budget of reasoning said to a protocol that takes a word."""

from __future__ import annotations

from headrace.core.request import GenerationSettings
from headrace.wire.kept import warn


def warn_of_word(settings: GenerationSettings, warnings: list[str]) -> None:
    """Say that a budget was said as a word, where the caller gave no word."""
    if settings.reasoning_effort is None and settings.reasoning_budget_tokens is not None:
        budget, word = settings.reasoning_budget_tokens, settings.effort
        warn(warnings, f"reasoning_budget_tokens {budget} was said as {word}: this protocol takes a word")
