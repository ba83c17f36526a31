"""What two protocols carry between them that is more than each alone says, or less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Exception_:
    """arrives: against what the two protocols' claims make of it. why: one clause. whole: only where the
    answer is not streamed."""

    arrives: bool
    why: str
    whole: bool = False


# (client, provider) -> (feature, facet) -> the exception.
PAIRS: Mapping[tuple[str, str], Mapping[tuple[str, str], Exception_]] = {
    ("anthropic", "anthropic"): {
        ("citations", "place"): Exception_(True, "its own sources stand at the blocks where they stood"),
    },
    ("openai_audio", "gemini"): {
        ("refusal", "mark"): Exception_(
            False,
            "a refusal is text there, marked by its end, and a transcription does not say why it ends",
        ),
    },
    ("openai_responses", "openai_responses"): {
        ("sound out", "transcript"): Exception_(
            False, "an answer that is not streamed is the vendor's own last word, without sound", whole=True
        ),
    },
}
