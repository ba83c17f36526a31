"""Google's generateContent."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap

_TOLD = "google.genai.types:GenerateContentResponse"
_NAME = Gap(
    "`inlineData` has a `displayName`, but the Gemini API refuses it: it is Vertex AI's",
    "google.genai.types:Blob",
    ("file_name", "filename", "title"),
    "name was left out",
)
_WRITES = Gap(
    "what was read from a cache is counted, what was written is not",
    "google.genai.types:GenerateContentResponseUsageMetadata",
    ("cache_write_tokens", "cache_creation_token_count"),
)
_CALLS = Gap(
    "an answer with calls ends with STOP like any other",
    "google.genai.types:Candidate",
    ("tool_calls", "function_calls"),
)
_QUOTE = Gap(
    "a web source has address and title: the text of a segment is the answer's own",
    "google.genai.types:GroundingChunkWeb",
    ("text", "quote"),
)
CLAIMS = Claims(
    "gemini",
    "G",
    client={
        ("documents in", ("name",)): _NAME,
        ("usage", ("cache writes",)): _WRITES,
        ("end", ("tool calls",)): _CALLS,
        ("citations", ("quote",)): _QUOTE,
    },
    provider={
        ("documents in", ("name",)): _NAME,
        ("usage", ("cache writes",)): _WRITES,
        ("end", ("tool calls",)): _CALLS,
        ("citations", ("quote",)): _QUOTE,
    },
)
