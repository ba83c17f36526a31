"""What the conformance suite is told of this wire."""

from __future__ import annotations

from typing import Any

from tests.wire.asking import asked
from tests.wire.openai_chat.events import DONE, USAGE, event

from headrace.core.usage import Usage
from headrace.testing.conformance import Said, Sample, WireCase
from headrace.wire.openai_chat import WIRE

COUNTED = Usage(3, 2)


def delta(index: int = 0, reason: str | None = None, logprobs: Any = None, **fields: Any) -> bytes:
    choice = {"index": index, "delta": fields, "logprobs": logprobs, "finish_reason": reason}
    return event(choices=[choice], usage=None, system_fingerprint="fp_1")


ROLE = delta(role="assistant", content="")
LAST = event(choices=[], usage=USAGE, system_fingerprint="fp_1")
LOGPROBS = {
    "content": [
        {"token": "Hel", "logprob": -0.5, "bytes": [72, 101, 108],
         "top_logprobs": [{"token": "Hi", "logprob": -2.5, "bytes": [72, 105]}]},
    ],
    "refusal": None,
}  # fmt: skip


def call(index: int, arguments: str, id: str = "", name: str = "") -> bytes:
    piece: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if id:
        piece = {
            "index": index,
            "id": id,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
    return delta(tool_calls=[piece])


TEXT = (
    ROLE,
    delta(content="Hel", logprobs=LOGPROBS),
    delta(content='lo "é"\n'),
    delta(reason="stop"),
    LAST,
    DONE,
)
CALLS = (
    ROLE,
    delta(reasoning_content="Let me "),
    delta(reasoning_content="see."),
    delta(content="Hi", mood={"a": 1}),
    call(0, "", "call_a", "add"),
    call(0, '{"a"'),
    call(1, "", "call_b", "sub"),
    call(1, "{}"),
    call(0, ":1}"),
    delta(reason="tool_calls"),
    LAST,
    DONE,
)
REFUSED = (ROLE, delta(refusal="No"), delta(refusal="."), delta(reason="stop"), LAST, DONE)
TWO = (
    ROLE,
    delta(content="a"),
    delta(1, role="assistant", content=""),
    delta(1, content="b"),
    delta(1, "length"),
    delta(reason="stop"),
    LAST,
    DONE,
)
SOUND = (
    ROLE,
    delta(audio={"id": "au"}),
    delta(audio={"transcript": "hi"}),
    delta(audio={"data": "AAEC"}),
    delta(images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}]),
    delta(content="ok"),
    delta(annotations=[{"type": "url_citation",
                        "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 2}}]),
    delta(reason="stop"),
    LAST,
    DONE,
)  # fmt: skip
ASK: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
# What a client may add to the simplest body.
BODIES: dict[str, Any] = {
    "settings": {
        "max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "frequency_penalty": -1.0, "presence_penalty": 1.0,
        "seed": 7, "logprobs": True, "top_logprobs": 2, "n": 2, "reasoning_effort": "low",
        "logit_bias": {"5": -100.0}, "stop": ["a"], "user": "u", "parallel_tool_calls": False,
    },
    "unknown fields": {"store": True, "provider": {"order": ["x"]}},
    "tools": {
        "tools": [
            {"type": "function", "function": {
                "name": "f", "description": "d", "parameters": {"a": 1}, "strict": True}},
            {"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}},
        ],
        "tool_choice": {"type": "custom", "custom": {"name": "sh"}},
    },
    "pinned": {
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
    },
    "schema": {"response_format": {
        "type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}}},
    "object": {"response_format": {"type": "json_object"}},
    "sound": {"modalities": ["text", "audio"], "audio": {"voice": "coral", "format": "mp3"}},
    "own voice": {"modalities": ["audio"], "audio": {"voice": {"id": "v"}, "format": "pcm16", "speed": 2}},
    "odd modalities": {"modalities": ["text", "smell"]},
    "plain modalities": {"modalities": ["text"]},
    "sound without its modality": {"audio": {"voice": "coral", "format": "wav"}},
    "messages": {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [
                {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAE="}},
                {"type": "input_audio", "input_audio": {"data": "AAE=", "format": "mp3"}},
                {"type": "file", "file": {
                    "file_data": "data:application/pdf;base64,AAE=", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_id": "f-1"}},
            ]},
            {"role": "assistant", "content": None, "reasoning_content": "hm", "prefix": True, "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "42"},
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "42"},
            {"role": "user", "content": "hi", "name": "ann"},
        ],
    },
}  # fmt: skip
WARNS = {"unknown fields": ("store",)}


def spelling(event: Any) -> Any:
    """An image of a list gets its place in it: the official client puts lists together by `index`."""
    for choice in event.get("choices", ()) if isinstance(event, dict) else ():
        for place, image in enumerate(choice["delta"].get("images") or ()):
            image.setdefault("index", place)
    return event


CASE = WireCase(
    WIRE,
    (
        Sample("text", b"".join(TEXT), Said('Hello "é"\n', tokens=("Hel",), usage=COUNTED), enough=4),
        Sample("calls", b"".join(CALLS),
               Said("Hi", "Let me see.", tool_calls=(("call_a", "add", '{"a":1}'), ("call_b", "sub", "{}")),
                    finish_reason="tool_calls", usage=COUNTED), enough=10),
        Sample("refusal", b"".join(REFUSED), Said(refusal="No.", usage=COUNTED), enough=4),
        Sample("two candidates", b"".join(TWO), Said("a", usage=COUNTED), enough=6),
        Sample("sound", b"".join(SOUND),
               Said("ok", transcript="hi", sound=b"\0\1\2", images=(b"\0\1\2",), usage=COUNTED), enough=8),
    ),
    asked=(asked(ASK), *(asked({**ASK, **more}, warns=WARNS.get(name, ())) for name, more in BODIES.items())),
    unknown_event={"choices": [], "later": {"a": 1}},
    spelling=spelling,
    forgets=("choices.*.logprobs*",),
)  # fmt: skip
