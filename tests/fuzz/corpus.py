"""Where the search begins: a few whole streams of each kind, and the words the formats are made of."""

from __future__ import annotations

import json
from typing import Any

from tests.framing.wpt import CASES
from tests.fuzz.targets import pack
from tests.structured.kinds import EXAMPLE
from tests.wire.openai_audio.events import STREAMS as AUDIO


def _chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return b"data: " + json.dumps(body | fields).encode() + b"\n\n"


_DONE = b"data: [DONE]\n\n"
_USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
_CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
_TOKEN = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
_WITH_LOGPROBS = {"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [_TOKEN]}}

_CHAT: tuple[bytes, ...] = (
    _chunk({"role": "assistant", "content": ""})
    + _chunk({"content": "Hé"})
    + _chunk({}, "stop")
    + _chunk(None, usage=_USAGE)
    + _DONE,
    _chunk({"tool_calls": [_CALL]})
    + _chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})
    + _chunk({}, "tool_calls")
    + _DONE,
    _chunk({"reasoning_content": "hm"}) + _chunk({"reasoning": "hm"}) + _chunk({"refusal": "no"}, "stop"),
    _chunk(None, choices=[_WITH_LOGPROBS]) + _chunk({}, "length", usage=_USAGE),
    b": OPENROUTER PROCESSING\n\n"
    + _chunk({"content": "a"})
    + b'data: {"error":{"message":"no","code":500}}\n\n',
    b'event: error\ndata: {"message":"overloaded"}\n\n',
    _chunk({"content": "a"}).replace(b"\n", b"\r\n") + _chunk({}, "stop") + b"data: [DONE]",
    _DONE,
    b'{"error":{"message":"not an event stream"}}',
    b"<!doctype html><title>502</title>",
)

_HEAD = b'content-disposition: form-data; name="a"'
_FORMS: tuple[bytes, ...] = (
    b"--x\r\n%b\r\n\r\nvalue\r\n--x--\r\n" % _HEAD,
    b'pre\r\n--x \t\r\n%b; filename="b"\r\nContent-Type: audio/wav\r\n\r\n\r\n--xy\r\r\n\r\n--x--' % _HEAD,
    b"--x\r\n%b\r\n\r\n\r\n--x\r\n%b\r\n\r\nb\r\n--x\r\n%b\r\n\r\nc\r\n--x--" % (_HEAD, _HEAD, _HEAD),
    b"--x\r\nX: a\r\n b\r\n%b; filename*=UTF-8''%%C3%%BC\r\n\r\nlonger than eight\r\n--x-" % _HEAD,
)

_ORDER = json.dumps(EXAMPLE).encode()
_VALUES: tuple[bytes, ...] = (
    _ORDER,
    b"Here it is:\n```json\n" + _ORDER + b"\n```\nAnything {else}?",
    _ORDER[:150],
    b'[1, {"id": 1, "name": "a\\ud83d\\ude00\\n", "size": "small"}, 2]',
    b'{"a": [[], {}, "", -1.5e3, true, null]}',
    b"[1, 2",
    b"no JSON at all",
)

SEEDS: dict[str, tuple[bytes, ...]] = {
    "sse": (
        *(pack(case.stream.replace(b"." * 3000, b"."), b"\x40\x80\xc0") for case in CASES),
        pack(b"data: a\n\ndata: b\n\ndata: c\n\n"),
        pack(b"data: \r\r\ndata: b\r\n\r\ndata: c\n\r", b"\x80"),
        pack(b"\xef\xbb\xbf\xef\xbb\xbf: x\n\n\xf0\x9f\x98\xed\xa0\x80", b"\x10\x20"),
    ),
    "openai_chat": tuple(pack(stream, b"\x33\x77\xbb") for stream in _CHAT),
    "multipart": tuple(pack(stream, b"\x33\x77\xbb") for stream in _FORMS),
    "openai_audio": (
        *(pack(b"".join(events), b"\x33\x77\xbb") for events in AUDIO.values()),
        pack(b'{"text": "Hi", "words": [{"word": "Hi", "start": 0, "end": 1}]}', b"\x80"),
    ),
    "growing": tuple(pack(text, b"\x33\x77\xbb") for text in _VALUES),
}

WORDS: dict[str, tuple[bytes, ...]] = {
    "growing": (
        *(
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b'"',
            b"\\u",
            b"\\ud800",
            b"\\",
            b"null",
            b"1e999",
            b"-",
            b"```json\n",
        ),
        *(
            b'"title":',
            b'"items":[',
            b'"id":',
            b'"size":"small"',
            b'"first":{',
            b'"due":"2026-01-02"',
            b'"note":',
        ),
    ),
    "sse": (
        b"data: ",
        b"data:",
        b"event:",
        b"id:",
        b"retry:",
        b"\n\n",
        b"\r\n",
        b"\r",
        b"\xef\xbb\xbf",
        b": ",
    ),
    "openai_chat": (
        *(
            b"data: ",
            b"\n\n",
            b"data: [DONE]\n\n",
            b'{"choices":[',
            b'"delta":{',
            b'"content":"',
            b'"index":',
            b"}]}",
        ),
        *(b'"tool_calls":[', b'"function":{', b'"name":"', b'"arguments":"', b'"finish_reason":"', b'"id":"'),
        *(
            b'"usage":{',
            b'"prompt_tokens":',
            b'"error":',
            b'"reasoning_content":',
            b'"logprobs":',
            b'"bytes":[',
        ),
        *(
            b"null",
            b"1e999",
            b"-1",
            b"\\ud800",
            b"99999999999999999999",
            b'"refusal":"',
            b'"audio":{',
            b'"role":',
        ),
    ),
    "multipart": (
        *(b"\r\n--x\r\n", b"\r\n--x--", b"\r\n\r\n", b"\r\n", b"--x", b"--", b"\r", b" \t", b'\\"'),
        *(_HEAD, b'; filename="', b"; filename*=UTF-8''", b"content-type: ", b"%22"),
    ),
    "openai_audio": (
        *(b"data: ", b"\n\n", b"data: [DONE]\n\n", b'{"type":"', b'"delta":"', b'"audio":"', b"AAEC"),
        *(b"transcript.text.", b"speech.audio.", b"delta", b"segment", b"done", b'"logprobs":['),
        *(b'"usage":{', b'"languages":[{"code":"', b'"text":"', b"null", b"1e999", b"\\ud800"),
    ),
}
