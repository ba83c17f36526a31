"""Google's generateContent and streamGenerateContent, both directions."""

from __future__ import annotations

from headrace.wire.gemini.decode import GeminiDecoder

__all__ = ["GeminiDecoder"]
