"""What the conformance suite is told of this wire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.wire.asking import asked
from tests.wire.gemini.events import USAGE, call, piece, text, thought
from tests.wire.gemini.events import said as event

from headrace.core.usage import Usage
from headrace.testing.conformance import JSON_ARRAY, Said, Sample, WireCase
from headrace.wire.gemini import ARRAY_FRONT, WIRE

COUNTED = Usage(3, 6, reasoning_tokens=4)
PATH = {"model": "gemini-3-flash", "method": "streamGenerateContent"}


def said(*parts: Any, **more: Any) -> bytes:
    """An event as the vendor writes it: with the counts so far."""
    return event(*parts, **{"usage": {"promptTokenCount": 3, "totalTokenCount": 3}, **more})


TEXT = (said(text("Hel")), said(text('lo "é"\n')), said(text(""), reason="STOP", usage=USAGE))
RICH = (
    said(thought("Let me ")),
    said(thought("see"), text("Hé")),
    said(
        call("add", {"a": 1}, id="c-1"),
        call("sub", {"b": [2]}),
        reason="STOP",
        finishMessage="ok",
        usage=USAGE,
    ),
)
SIGNED = (
    said(text("a")),
    said(text("b", thoughtSignature="c2ln")),
    said({"executableCode": {"language": "PYTHON", "code": "print(1)"}}, text("c")),
    said({**call("f", {"a": [1, None]}, id="c-1"), "thoughtSignature": "c2lnMg=="}),
    said(text(""), reason="STOP", usage={**USAGE, "cachedContentTokenCount": 2}, safetyRatings=[{"x": 1}]),
)
PIECES = (
    said(piece(name="cook")),
    said(piece({"jsonPath": "$.a", "stringValue": 'x"', "willContinue": True})),
    said(piece({"jsonPath": "$.a", "stringValue": "é"})),
    said(piece({"jsonPath": "$.ok", "boolValue": False})),
    said(piece(goes_on=False)),
    said(text(""), reason="STOP", usage=USAGE),
)
ASK: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CONVERSATION: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [
            {"text": "See"},
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
            {"fileData": {"fileUri": "https://a/b.pdf", "mimeType": "application/pdf"}},
        ]},
        {"role": "model", "parts": [
            {"text": "hm", "thought": True},
            {"text": "ok", "thoughtSignature": "c2ln"},
            {"functionCall": {"name": "f", "id": "c1", "args": {"a": 1}}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "f", "id": "c1", "response": {"ok": True}}},
        ]},
    ],
    "tools": [{"functionDeclarations": [
        {"name": "f", "description": "F", "parametersJsonSchema": {"type": "object"}},
    ]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    "generationConfig": {
        "maxOutputTokens": 9, "temperature": 0.1, "topP": 0.2, "topK": 3, "frequencyPenalty": 0.3,
        "presencePenalty": 0.4, "seed": 5, "stopSequences": ["x"], "responseLogprobs": True, "logprobs": 2,
        "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
    },
    "safetySettings": [{"category": "HARM", "threshold": "OFF"}],
}  # fmt: skip


def as_array(body: bytes) -> bytes:
    """The same answer as it comes without alt=sse."""
    return b"[" + b",\r\n".join(one.removeprefix(b"data: ") for one in body.split(b"\r\n\r\n") if one) + b"]"


SSE_CASE = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said('Hello "é"\n', usage=COUNTED)),
        Sample("rich", b"".join(RICH),
               Said("Hé", "Let me see", usage=COUNTED, finish_reason="tool_calls",
                    tool_calls=(("c-1", "add", '{"a":1}'), ("call_r-1_1", "sub", '{"b":[2]}')))),
        Sample("signed", b"".join(SIGNED),
               Said("abc", tool_calls=(("c-1", "f", '{"a":[1,null]}'),), finish_reason="tool_calls",
                    usage=Usage(3, 6, cached_input_tokens=2, reasoning_tokens=4))),
        Sample("pieces", b"".join(PIECES),
               Said(tool_calls=(("call_r-1_0", "cook", '{"a":"x\\"é","ok":false}'),), usage=COUNTED,
                    finish_reason="tool_calls")),
    ),
    asked=(asked(ASK, path=PATH), asked(CONVERSATION, path=PATH, warns=("safetySettings",))),
    terminator=False,
    unknown_event={"later": {"a": 1}},
    free_form=("*.functionCall.args",),
    fails_as={
        **dict.fromkeys(("context_overflow", "content_blocked"), "bad_request"),
        "truncated": "unavailable",
    },
    uncounted=("cache_write_tokens",),
    keeps=(b'"text"',),  # the last event may tell places in it, in bytes
)  # fmt: skip
ARRAY_CASE = replace(
    SSE_CASE,
    samples=[
        replace(one, body=as_array(one.body), enough=len(one.body.split(b"\r\n\r\n")) - 1)
        for one in SSE_CASE.samples
    ],
    front=ARRAY_FRONT,
    separated=JSON_ARRAY,
    terminator=True,
    name="gemini-array",
)
