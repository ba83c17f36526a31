"""Model ids by the names that users of other toolkits know: a function for each vendor."""

from __future__ import annotations


def openai(model: str) -> str:
    """The id of an OpenAI model: `openai("gpt-4o")` is "openai/gpt-4o"."""
    return f"openai/{model}"


def anthropic(model: str) -> str:
    """The id of an Anthropic model: `anthropic("claude-opus-4-5")` is "anthropic/claude-opus-4-5"."""
    return f"anthropic/{model}"


def google(model: str) -> str:
    """The id of a Google model: `google("gemini-2.5-flash")` is "google/gemini-2.5-flash"."""
    return f"google/{model}"
