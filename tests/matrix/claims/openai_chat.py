"""Chat completions: OpenAI's schema, and the fields beyond it that compatible places have in common."""

from __future__ import annotations

from tests.matrix.claims.base import Claims, Gap

_CHUNK = "openai.types.chat:ChatCompletionChunk"
_QUOTE = Gap(
    "an annotation has address, title and place, and no words of the source",
    "openai.types.chat.chat_completion_message:AnnotationURLCitation",
    ("text", "quote", "cited_text"),
)
_IDS = Gap(
    "tokens have text and no numbers", "openai.types.chat:ChatCompletionTokenLogprob", ("id", "token_id")
)
CLAIMS = Claims(
    "openai_chat",
    "C",
    client={("citations", ("quote",)): _QUOTE, ("logprobs", ("ids",)): _IDS},
    provider={
        ("reasoning back", ("signature",)): Gap(
            "reasoning is text (compatible places' `reasoning_content`) and is not signed; what OpenRouter "
            "signs stands in `reasoning_details`, which goes back as it came",
            _CHUNK,
            ("signature", "encrypted_content"),
        ),
        ("citations", ("quote",)): _QUOTE,
        ("logprobs", ("ids",)): _IDS,
    },
)
