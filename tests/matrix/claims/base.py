"""What a protocol has no place for, as data: the reason, and where in the vendor's own schema to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The vendors' schemas as their official packages carry them, and the day they were read.
READ_ON = "2026-11-25"
READ = {
    "openai": "3.52.0",
    "anthropic": "2.11.0",
    "google-genai": "3.4.0",
    "ollama": "0.6.3",
    "huggingface_hub": "2.4.0",
}
READ_IN_NODE = {"ai": "7.0.173"}


@dataclass(frozen=True)
class Gap:
    """why: one clause for people. schema: "module:Name" of the type that would hold it; without: names that
    are neither a field nor a value anywhere in it. Empty where the type itself does not tell (`why` does).

    read: where it was read, for what is no Python package. warning: what the header
    `x-headrace-warnings` says when the gap is a provider's and a request meets it.
    """

    why: str
    schema: str = ""
    without: tuple[str, ...] = ()
    warning: str = ""
    read: str = ""


# (feature, facets) -> the gap.
Gaps = Mapping[tuple[str, tuple[str, ...]], Gap]


@dataclass(frozen=True)
class Claims:
    """letter: begins the numbers of its gaps on the page. client: what its clients cannot ask or be shown.

    provider: what its places cannot take or say. whole: of a client's answers that are not streamed, beside
    the others. needs: facets that a place takes only together with another.
    only_sound: all is about sound, in the question or in the answer: the other side must have it.
    """

    wire: str
    letter: str
    client: Gaps
    provider: Gaps
    whole: Gaps = field(default_factory=dict)
    needs: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    only_sound: bool = False


def gap_of(gaps: Gaps, feature: str, facet: str) -> Gap | None:
    """The gap that a facet falls into."""
    return next((gap for (name, facets), gap in gaps.items() if name == feature and facet in facets), None)
