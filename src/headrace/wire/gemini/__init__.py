"""Google's generateContent and streamGenerateContent, both directions."""

from __future__ import annotations

from headrace.wire.gemini.decode import GeminiDecoder
from headrace.wire.gemini.encode import GeminiEncoder

__all__ = ["GeminiDecoder", "GeminiEncoder"]
