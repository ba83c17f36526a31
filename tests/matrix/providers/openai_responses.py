"""OpenAI Responses."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from tests.matrix import script
from tests.matrix.providers.base import Provider, Script, data_url, named, settings_in
from tests.matrix.providers.openai_chat import ERRORS
from tests.matrix.said import Call, Function, Got, Said, Source

Fields = dict[str, Any]
ENCRYPTED = "gAAAAABo-encrypted-by-OpenAI=="
IDS = ("call_Wea1", "call_Clo2")
USAGE = {
    "input_tokens": 120,
    "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
    "output_tokens": 60,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 180,
}


def _response(status: str, output: list[Fields], **fields: Any) -> Fields:
    return {
        "id": "resp_7", "object": "response", "created_at": 1700000000, "status": status, "error": None,
        "incomplete_details": None, "instructions": None, "metadata": {}, "model": "vendors-own",
        "output": output, "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto",
        "tools": [], "top_p": 1.0, "usage": None, **fields,
    }  # fmt: skip


class Item:
    """An output item: the events that bring it (their numbers come later), and the item whole."""

    def __init__(self, index: int, begins: Fields, whole: Fields) -> None:
        self.index = index
        self.whole = whole
        self.events: list[Fields] = [
            {"type": "response.output_item.added", "output_index": index, "item": begins}
        ]

    def say(self, kind: str, **fields: Any) -> None:
        place = {"item_id": self.whole["id"], "output_index": self.index}
        self.events.append({"type": f"response.{kind}", **place, **fields})

    def end(self) -> Item:
        self.events.append(
            {"type": "response.output_item.done", "output_index": self.index, "item": self.whole}
        )
        return self


def _part(kind: str, text: str, annotations: list[Fields], logprobs: list[Fields]) -> Fields:
    if kind == "refusal":
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs}


def _message(
    *pieces: str,
    index: int = 0,
    kind: str = "output_text",
    annotations: list[Fields] | None = None,
    logprobs: list[Fields] | None = None,
) -> Item:
    whole = "".join(pieces)
    part = _part(kind, whole, annotations or [], logprobs or [])
    head = {"id": "msg_7", "type": "message", "role": "assistant"}
    item = Item(
        index,
        {**head, "status": "in_progress", "content": []},
        {**head, "status": "completed", "content": [part]},
    )
    item.say("content_part.added", content_index=0, part=_part(kind, "", [], []))
    for at, piece in enumerate(pieces):
        beside = {"logprobs": [logprobs[at]] if logprobs else []} if kind == "output_text" else {}
        item.say(f"{kind}.delta", content_index=0, delta=piece, **beside)
    for at, annotation in enumerate(annotations or ()):
        place = {"content_index": 0, "annotation_index": at}
        item.say("output_text.annotation.added", **place, annotation=annotation)
    field = "refusal" if kind == "refusal" else "text"
    said = {field: whole, **({"logprobs": logprobs or []} if kind == "output_text" else {})}
    item.say(f"{kind}.done", content_index=0, **said)
    item.say("content_part.done", content_index=0, part=part)
    return item.end()


def _reasoning() -> Item:
    part = {"type": "summary_text", "text": script.REASONING}
    head = {"id": "rs_7", "type": "reasoning"}
    item = Item(
        0,
        {**head, "summary": [], "encrypted_content": ""},
        {**head, "summary": [part], "encrypted_content": ENCRYPTED},
    )
    item.say("reasoning_summary_part.added", summary_index=0, part={**part, "text": ""})
    for piece in script.THOUGHTS:
        item.say("reasoning_summary_text.delta", summary_index=0, delta=piece)
    item.say("reasoning_summary_text.done", summary_index=0, text=script.REASONING)
    item.say("reasoning_summary_part.done", summary_index=0, part=part)
    return item.end()


def _call(index: int, place: int) -> Item:
    arguments = json.dumps(script.ARGUMENTS[place], ensure_ascii=False)
    head = {
        "id": f"fc_{place}",
        "type": "function_call",
        "call_id": IDS[place],
        "name": script.TOOLS[place].name,
    }
    item = Item(
        index,
        {**head, "status": "in_progress", "arguments": ""},
        {**head, "status": "completed", "arguments": arguments},
    )
    for piece in (arguments[:9], arguments[9:]):
        item.say("function_call_arguments.delta", delta=piece)
    item.say("function_call_arguments.done", arguments=arguments)
    return item.end()


def _image() -> Item:
    drawn = b64encode(script.DRAWN_IMAGE).decode()
    head = {"id": "ig_7", "type": "image_generation_call"}
    whole = {**head, "status": "completed", "output_format": "png", "result": drawn}
    item = Item(0, {**head, "status": "in_progress"}, whole)
    item.say("image_generation_call.in_progress")
    item.say("image_generation_call.generating")
    item.say("image_generation_call.completed")
    return item.end()


def _answer(*items: Item, beside: list[Fields] | None = None, why: str = "") -> tuple[bytes, ...]:
    output = [item.whole for item in items]
    status = "incomplete" if why else "completed"
    details = {"reason": why} if why else None
    events: list[Fields] = [
        {"type": "response.created", "response": _response("in_progress", [])},
        {"type": "response.in_progress", "response": _response("in_progress", [])},
        *(event for item in items for event in item.events),
        *(beside or []),
        {
            "type": f"response.{status}",
            "response": _response(status, output, usage=USAGE, incomplete_details=details),
        },
    ]
    return numbered(events)


def numbered(events: list[Fields]) -> tuple[bytes, ...]:
    """The events under their numbers."""
    return named(*({**event, "sequence_number": at} for at, event in enumerate(events)))


_ANNOTATIONS = [
    {
        "type": "url_citation",
        "url": source.url,
        "title": source.title,
        "start_index": source.place[0],
        "end_index": source.place[1],
    }
    for source in script.SOURCES
    if source.place is not None
]
_LOGPROBS = [
    {
        "token": token.text, "logprob": token.logprob, "bytes": list(token.text.encode()),
        "top_logprobs": [
            {"token": text, "logprob": value, "bytes": list(text.encode())} for text, value in token.top
        ],
    }
    for token in script.TOKENS
]  # fmt: skip
SCRIPTS = {
    "calls": Script(
        _answer(_reasoning(), _call(1, 0), _call(2, 1)),
        Said(
            reasoning=script.REASONING,
            signature=ENCRYPTED,
            calls=script.calls(IDS),
            usage=script.USAGE,
        ),
    ),
    "reasoning": Script(
        _answer(_reasoning(), _message(*script.PIECES, index=1)),
        Said(reasoning=script.REASONING, text=script.TEXT),
    ),
    "text": Script(_answer(_message(*script.PIECES)), Said(text=script.TEXT, usage=script.USAGE, end="stop")),
    "length": Script(
        _answer(_message(script.FIRST), why="max_output_tokens"), Said(text=script.FIRST, end="length")
    ),
    "form": Script(
        _answer(_message(*script.JSON_PIECES)), Said(text="".join(script.JSON_PIECES), end="stop")
    ),
    "refusal": Script(
        _answer(_message(script.REFUSAL[:9], script.REFUSAL[9:], kind="refusal")),
        Said(refusal=script.REFUSAL, refused=True),
    ),
    "filtered": Script(_answer(_message(script.FIRST), why="content_filter"), Said(end="filtered")),
    "citations": Script(
        _answer(_message(*script.CITED, annotations=_ANNOTATIONS)),
        Said(
            text="".join(script.CITED),
            sources=tuple(Source(one.url, one.title, "", one.place) for one in script.SOURCES),
            end="stop",
        ),
    ),
    "logprobs": Script(
        _answer(_message(*(token.text for token in script.TOKENS), logprobs=_LOGPROBS)),
        Said(text=script.SPOKEN, tokens=tuple(script.without_ids(script.TOKENS)), end="stop"),
    ),
    "image": Script(
        _answer(_image(), _message(script.FIRST, index=1)),
        Said(text=script.FIRST, images=(script.DRAWN_IMAGE,), end="stop"),
    ),
    "sound": Script(
        _answer(
            beside=[
                {"type": "response.audio.transcript.delta", "delta": script.TRANSCRIPT},
                {"type": "response.audio.delta", "delta": b64encode(script.SPOKEN_SOUND).decode()},
                {"type": "response.audio.transcript.done"},
                {"type": "response.audio.done"},
            ]
        ),
        Said(sound=script.SPOKEN_SOUND, transcript=script.TRANSCRIPT, end="stop"),
    ),
}


def read(path: str, body: bytes) -> Got:
    """A request's fields (openai 3.52, `types/responses/response_create_params.py`)."""
    assert path == "/responses"
    data = json.loads(body)
    got = Got(model=data["model"], system=data.get("instructions") or "")
    for item in data["input"]:
        _item(item, got)
    for tool in data.get("tools", ()):
        if tool["type"] == "function":
            got.tools.append(Function(tool["name"], tool["description"], tool["parameters"]))
    got.form = data.get("text", {}).get("format", {}).get("schema")
    got.effort = data.get("reasoning", {}).get("effort", "")
    got.settings = settings_in(data, "max_output_tokens", "temperature", "top_p")
    if "message.output_text.logprobs" in data.get("include", ()):
        got.logprobs = data["top_logprobs"]
    return got


def _item(item: Fields, got: Got) -> None:
    match item.get("type", "message"):
        case "reasoning":
            got.reasoning += "".join(part["text"] for part in item["summary"])
            got.signature += item["encrypted_content"]
        case "function_call":
            got.called.append(Call(item["call_id"], item["name"], json.loads(item["arguments"])))
        case "function_call_output":
            got.results.append((item["call_id"], item["output"]))
        case "message" if item["role"] in ("user", "system", "developer"):
            content = item["content"]
            for part in [{"type": "input_text", "text": content}] if isinstance(content, str) else content:
                _content(part, item["role"], got)


def _content(part: Fields, role: str, got: Got) -> None:
    match part["type"]:
        case "input_text" if role == "user":
            got.texts.append(part["text"])
        case "input_text":
            got.system += part["text"]
        case "input_image":
            got.images.append(data_url(part["image_url"]))
        case "input_file":
            got.documents.append((part["filename"], data_url(part["file_data"])))


_BEGUN = [
    {"type": "response.created", "response": _response("in_progress", [])},
    *_message(script.FIRST).events[:3],
]
_ERROR = {"code": "server_error", "message": "The engine is overloaded.", "param": None}
PROVIDER = Provider(
    wire="openai_responses",
    base="/v1",
    content_type="text/event-stream",
    scripts=SCRIPTS,
    begun=numbered(_BEGUN),
    failed=named({"type": "error", **_ERROR, "sequence_number": len(_BEGUN)})[0],
    errors=ERRORS,
    read=read,
)
