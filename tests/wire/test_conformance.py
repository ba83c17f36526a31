"""Every wire passes the public suite: a wire is a row here."""

from __future__ import annotations

from tests.wire.anthropic import conforming as anthropic
from tests.wire.bedrock import conforming as bedrock
from tests.wire.cohere import conforming as cohere
from tests.wire.gemini import conforming as gemini
from tests.wire.ollama import conforming as ollama
from tests.wire.openai_audio import conforming as openai_audio
from tests.wire.openai_chat import conforming as openai_chat
from tests.wire.openai_completions import conforming as openai_completions
from tests.wire.openai_responses import conforming as openai_responses
from tests.wire.tgi import conforming as tgi
from tests.wire.ui_messages import conforming as ui_messages

from headrace.testing.conformance import wire_conformance

CASES = (
    openai_chat.CASE,
    openai_completions.CASE,
    openai_responses.CASE,
    anthropic.CASE,
    gemini.SSE_CASE,
    gemini.ARRAY_CASE,
    ollama.OLLAMA_CHAT,
    ollama.OLLAMA_GENERATE,
    tgi.ROOT,
    tgi.GENERATE,
    tgi.GENERATE_STREAM,
    cohere.CASE,
    bedrock.CASE,
    bedrock.LINES,
    ui_messages.CASE,
    openai_audio.TRANSCRIPTION,
    openai_audio.SPOKEN,
)

test_wire = wire_conformance(*CASES)
