"""One part of an event -> chunks of our family."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode

import msgspec

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    Chunk,
    ImageDelta,
    ReasoningDelta,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
)
from headrace.wire.gemini.candidate import Candidate
from headrace.wire.gemini.partial_args import ArgumentsWriter
from headrace.wire.gemini.schema import Blob, Fields, FunctionCall, Heard, Part, kept
from headrace.wire.sound import format_of, samples_in

SIGNATURE = "thoughtSignature"
_MAX_ID_CHARS = 24
_ODD_IN_ID = re.compile(r"[^A-Za-z0-9_-]")
_DATA_FIELDS = ("functionCall", "inlineData")


class Tokens:
    """The event's tokens, and what the vendor wrote of them, until a delta of text takes them."""

    __slots__ = ("raw", "tokens")

    def __init__(self, tokens: tuple[Token, ...] = (), raw: Fields | None = None) -> None:
        self.tokens = tokens
        self.raw = raw

    def taken(self) -> tuple[tuple[Token, ...], Fields]:
        """Once: the tokens, and the fields to keep with them."""
        tokens, raw = self.tokens, self.raw
        self.tokens, self.raw = (), None
        return tokens, {"logprobsResult": raw} if raw is not None else {}


class PartReader:
    """Reads the parts of one reply. reply_id: what made-up call ids begin with."""

    __slots__ = ("_calls", "reply_id")

    def __init__(self) -> None:
        self.reply_id = ""
        self._calls = 0

    def read(
        self, part: Part, raw: Fields, to: Candidate, more: bool, left: Tokens, out: list[Chunk]
    ) -> None:
        """Append what `part` says; raw: the same as plain data; more: its event goes on behind it.

        Raises ValueError for base64 that is cut and for arguments that contradict each other.
        """
        blob, call = part.inline_data, part.function_call
        if call is not None and (call.name or to.arguments is not None):
            self._call(call, raw, to, more, out)
        elif blob is not None and not part.thought and blob.mime_type.startswith("image/"):
            _image(blob, raw, to, more, out)
        elif blob is not None and not part.thought and blob.mime_type.startswith("audio/"):
            _sound(blob, raw, to, more, out)
        elif part.audio_transcription is not None and blob is None:
            _transcript(part.audio_transcription, raw, to, more, out)
        elif part.text is not None and call is None and blob is None:
            _text(part.text, part.thought, raw, to, more, left, out)
        else:
            to.open("opaque", out, vendor=kept({"part": raw}, more))
            to.end_block(out)

    def _call(self, call: FunctionCall, raw: Fields, to: Candidate, more: bool, out: list[Chunk]) -> None:
        extra = {name: value for name, value in raw.items() if name != "functionCall"}
        if call.name:
            if not call.will_continue and call.partial_args is None:
                self._whole_call(call, raw["functionCall"], extra, to, more, out)
                return
            started = {**extra, "partial": raw["functionCall"]}
            self._open_call(call, started, to, more, out)
            to.arguments = ArgumentsWriter()
            if call.partial_args is None:
                return
            extra = {"started": True}  # the start above has written this piece already
        _arguments(call, raw["functionCall"], extra, to, more, out)

    def _whole_call(
        self, call: FunctionCall, raw: Fields, extra: Fields, to: Candidate, more: bool, out: list[Chunk]
    ) -> None:
        odd = {name: value for name, value in raw.items() if name not in ("id", "name", "args")}
        if odd:
            extra["functionCall"] = odd
        if call.args is None:
            extra["no_args"] = True
        block = self._open_call(call, extra, to, more, out)
        arguments = msgspec.json.encode(call.args or {}).decode()
        out.append(ToolCallDelta(block, arguments, to.index))
        to.end_block(out)

    def _open_call(
        self, call: FunctionCall, fields: Fields, to: Candidate, more: bool, out: list[Chunk]
    ) -> int:
        """A call that has no id gets one: others answer to it. It does not go back to the vendor."""
        id = call.id
        if not id:
            fields["no_id"] = True
            id = f"call_{_ODD_IN_ID.sub('', self.reply_id)[:_MAX_ID_CHARS]}_{self._calls}"
        self._calls += 1
        to.called = True
        return to.open("tool-call", out, id, call.name or "", kept(fields, more))


def _arguments(
    call: FunctionCall, raw: Fields, extra: Fields, to: Candidate, more: bool, out: list[Chunk]
) -> None:
    """A piece of the open call's arguments."""
    writer = to.arguments
    if writer is None:
        return
    said = writer.take(call.partial_args or ())
    if call.args and not writer.written:  # all at once after all
        said = msgspec.json.encode(call.args).decode()
        to.arguments = None
    elif not call.will_continue:
        said += writer.end()
    fields = extra if "started" in extra else {**extra, "functionCall": raw}
    out.append(ToolCallDelta(to.block, said, to.index, kept(fields, more)))
    if not call.will_continue:
        to.end_block(out)


def end_arguments(to: Candidate, cut: bool, out: list[Chunk]) -> None:
    """Close the arguments of a call whose last piece never came; cut: the answer ended for want of room."""
    if to.arguments is not None and not cut:
        out.append(ToolCallDelta(to.block, to.arguments.end(), to.index, kept({"started": True})))


def _text(
    text: str, thought: bool, raw: Fields, to: Candidate, more: bool, left: Tokens, out: list[Chunk]
) -> None:
    extra = {name: value for name, value in raw.items() if name not in ("text", "thought")}
    kind = "reasoning" if thought else "text"
    signed = SIGNATURE in extra
    if signed:  # signed parts go back to the vendor as they are: never joined with others
        block = to.open("reasoning" if thought else "text", out, vendor=kept(extra, more and not text))
        extra = {}
    elif not text and not extra:
        return
    else:
        block = to.turn_to("reasoning" if thought else "text", out)
    if kind == "reasoning":
        if text or extra:
            out.append(ReasoningDelta(block, text, (), to.index, kept(extra, more)))
    else:
        to.answer.add(text)
        tokens, beside = left.taken()
        extra = {**extra, **beside}
        if text or extra:
            out.append(TextDelta(block, text, tokens, to.index, kept(extra, more)))
    if signed:
        to.end_block(out)


def _image(blob: Blob, raw: Fields, to: Candidate, more: bool, out: list[Chunk]) -> None:
    block = to.open("image", out)
    vendor = kept(_beside(raw), more)
    out.append(ImageDelta(block, _bytes(blob.data), blob.mime_type, candidate=to.index, vendor=vendor))
    to.kind = None
    out.append(BlockEnd(block, to.index))


def _sound(blob: Blob, raw: Fields, to: Candidate, more: bool, out: list[Chunk]) -> None:
    """Pieces of sound that follow each other are one block."""
    rate, channels = samples_in(blob.mime_type)
    out.append(
        AudioDelta(
            to.turn_to("audio", out),
            _bytes(blob.data),
            format_of(blob.mime_type),
            rate,
            channels,
            candidate=to.index,
            vendor=kept({**_beside(raw), "mimeType": blob.mime_type}, more),
        )
    )


def _transcript(heard: Heard, raw: Fields, to: Candidate, more: bool, out: list[Chunk]) -> None:
    block = to.turn_to("transcript", out)
    vendor = kept({"audioTranscription": raw["audioTranscription"]}, more)
    language = heard.language_code or ""
    out.append(TranscriptDelta(block, heard.text or "", language=language, candidate=to.index, vendor=vendor))


def _beside(raw: Fields) -> Fields:
    """What stands beside the bytes in a part."""
    extra = {name: value for name, value in raw.items() if name not in _DATA_FIELDS}
    odd = {name: value for name, value in raw["inlineData"].items() if name not in ("mimeType", "data")}
    return {**extra, "inlineData": odd} if odd else extra


def _bytes(data: str) -> bytes:
    """Base64, also in the spelling for URLs and without its padding. Raises ValueError where it is cut."""
    plain = data.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"not valid base64 ({error})") from None
