"""Our messages -> the vendor's: a tool's results each a turn of its own, files of text as documents."""

from __future__ import annotations

from collections.abc import Iterable

from headrace.core.excerpt import excerpt
from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from headrace.wire.cohere.content import plain, spoken
from headrace.wire.cohere.schema import WIRE_NAME, Fields, own
from headrace.wire.data_url import data_url
from headrace.wire.kept import put_back, understood, warn
from headrace.wire.media_type import media_type_of


def conversation(messages: Iterable[Message], warnings: list[str]) -> tuple[list[Fields], list[Fields]]:
    """(messages, documents). What has no place is a warning, once."""
    bodies: list[Fields] = []
    documents: list[Fields] = []
    for message in understood(messages, WIRE_NAME, warnings):
        if message.name:
            warn(warnings, "names of speakers were left out: this protocol has no field for them")
        beside = own(message.vendor)
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        bodies += [_result(part, warnings) for part in results]
        if message.role == "assistant":
            said = spoken(message.parts)
            if "content" in said:
                said["content"] = plain(said["content"])
        else:
            content = [body for part in message.parts if (body := _content(part, documents, warnings))]
            said = {"content": plain(content)} if content else {}
        role = {"assistant": "assistant", "system": "system", "developer": "system"}.get(message.role, "user")
        if said:
            bodies.append(put_back({"role": role, **said}, beside))
    return bodies, documents


def _content(part: Part, documents: list[Fields], warnings: list[str]) -> Fields | None:
    """What people say; None for what is no content, or has no place."""
    kept = own(part.vendor)
    match part:
        case TextPart() | RefusalPart():
            return put_back({"type": "text", "text": part.text}, kept.get("beside", {}))
        case ImagePart():
            kind = part.media_type or media_type_of(part.data) or "image/png"
            link: Fields = {"url": part.url or data_url(part.data, kind)}
            if part.detail:
                link["detail"] = part.detail
            return put_back({"type": "image_url", "image_url": link}, kept.get("beside", {}))
        case OpaquePart():
            whole: Fields = kept["content"]
            return whole
        case FilePart():
            document = _document(part, warnings)
            documents += [document] if document else []
        case AudioPart():
            warn(warnings, "sound was left out: this protocol does not take it")
        case ReasoningPart() | ToolCallPart():
            warn(warnings, "what only the model says was left out of a turn that is not its own")
    return None


def _document(part: FilePart, warnings: list[str]) -> Fields | None:
    """A file of text as a document beside the messages."""
    kind = (part.media_type or media_type_of(part.data) or "text/plain").partition(";")[0]
    if not part.data:
        warn(warnings, "a file by its address or id was left out: this protocol takes text")
        return None
    try:
        if not kind.startswith("text/") and kind != "application/json":
            raise UnicodeError
        text = part.data.decode()
    except UnicodeError:
        warn(warnings, f"a file of {excerpt(kind)} was left out: this protocol takes text")
        return None
    return {"data": {**({"title": part.name} if part.name else {}), "text": text}}


def _result(part: ToolResultPart, warnings: list[str]) -> Fields:
    content: list[Fields] = []
    for one in part.parts:
        kept = own(one.vendor)
        if isinstance(one, TextPart):
            said = kept.get("block") or {"type": "text", "text": one.text}
            content.append(put_back(said, kept.get("beside", {})))
        elif isinstance(one, FilePart) and (document := _document(one, warnings)):
            content.append({"type": "document", "document": document})
        elif not isinstance(one, FilePart):
            warn(warnings, "media in a tool's result were left out: this protocol takes text there")
    if part.is_error:
        warn(warnings, "that a tool failed is said in its text only: this protocol has no field for it")
    body: Fields = {"role": "tool", "tool_call_id": part.id, "content": plain(content) if content else ""}
    return put_back(body, own(part.vendor).get("beside", {}))
