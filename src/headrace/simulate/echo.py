"""`sim/echo`: a model that says the last user message back, in small pieces that join to it exactly.

Asked to speak, it gives a tone for each piece; asked to write sound down, it writes how much there is of it.
"""

from __future__ import annotations

import itertools
import re
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Failure,
    Finish,
    FinishReason,
    ReasoningDelta,
    Start,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
)
from headrace.core.message import AudioPart, Message, TextPart, ToolCallPart
from headrace.core.model import Model, ModelCard, Opened, OpenedRelay
from headrace.core.request import Request
from headrace.core.usage import Usage
from headrace.errors import RequestError
from headrace.simulate.script import ScriptedSource
from headrace.wire.kept import own_fields

__all__ = ["EchoModel", "EchoScript", "ScriptedSource", "pieces", "simulated_models"]

ECHO_ID = "sim/echo"
# A run of white space goes with the word behind it, as in most vocabularies; both bounded, so that one
# "word" of a megabyte still comes in small pieces. Every character matches, so nothing is lost.
_PIECE = re.compile(r"\s{0,4}\S{1,8}|\s{1,4}")
_NO_EFFECT = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "reasoning_budget_tokens",
    "logit_bias",
)

_RATE_HZ = 24_000
_TONE_S = 0.05
_HALF_WAVE_SAMPLES = 30  # 400 Hz
_LOUDNESS = 2000  # of 32767
_DELTAS = (TextDelta, ReasoningDelta, ToolCallDelta, TranscriptDelta, AudioDelta)

ECHO_CARD = ModelCard(
    id=ECHO_ID,
    capabilities=("llm", "asr", "tts"),
    owner="sim",
    description="Says the last user message back in small pieces; for tests and trials.",
)


def pieces(text: str) -> list[str]:
    """`text` in pieces of at most 12 characters: the echo's tokens. Joining them gives `text` back."""
    return _PIECE.findall(text)


@dataclass(frozen=True, slots=True)
class EchoScript:
    """What the model does besides the echo.

    reply: said in place of the last user message. reasoning: thought aloud first. tool_calls: asked for
    after the text. fail_after: (deltas, failure): the failure ends the stream after so many deltas.
    hang_after: so many deltas and then silence. pieces_per_s: the pace, 0 is as fast as the loop turns.
    first_delay_s: before the first chunk.
    """

    reply: str | None = None
    reasoning: str = ""
    tool_calls: Sequence[ToolCallPart] = ()
    fail_after: tuple[int, Failure] | None = None
    hang_after: int | None = None
    pieces_per_s: float = 0.0
    first_delay_s: float = 0.0


@dataclass(slots=True)
class EchoModel:
    """A simulated model that meets `headrace.core.model.Model`. `opened` counts its replies."""

    script: EchoScript = EchoScript()
    card: ModelCard = ECHO_CARD
    sources: list[ScriptedSource] | None = None  # give a list to see every source made, in a test
    opened: int = 0
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def open(self, request: Request, /) -> Opened:
        if request.settings.n != 1:
            raise RequestError(
                "sim/echo gives one candidate: n must be 1", field="n", value=request.settings.n
            )
        self.opened += 1
        reply = _Reply(request, self.script, f"echo-{next(self._ids)}", self.card.id)
        script = self.script
        terminal = Finish(reply.finish_reason) if script.hang_after is None else None
        source = ScriptedSource(
            reply.scripted(),
            terminal,
            first_delay_s=script.first_delay_s,
            interval_s=1 / script.pieces_per_s if script.pieces_per_s else 0.0,
        )
        if self.sources is not None:
            self.sources.append(source)
        return Opened(source, _warnings(request))

    def open_count(self, request: Request, /) -> Opened | None:
        """See `CountsTokens.open_count`: as many pieces as a reply would tell."""
        return Opened(ScriptedSource(iter([UsageReport(Usage(_asked_tokens(request)))]), Finish()))

    def open_relay(self, wire: str, body: bytes, include_usage: bool, /) -> OpenedRelay | None:
        return None  # it speaks chunks, no vendor's wire


def simulated_models() -> list[Model]:
    """Every simulated model with its default script."""
    return [EchoModel()]


class _Reply:
    """One reply, worked out before it begins: an echo knows its whole text."""

    def __init__(self, request: Request, script: EchoScript, id: str, model: str) -> None:
        self.request, self.script, self.id, self.model = request, script, id, model
        settings = request.settings
        said = script.reply if script.reply is not None else _last_user_text(request)
        text, self.stop_sequence = _cut_at_stop(said, settings.stop)
        self.thoughts, self.words = pieces(script.reasoning), pieces(text)
        self.finish_reason: FinishReason = "stop_sequence" if self.stop_sequence else "stop"
        if script.tool_calls:
            self.finish_reason = "tool_calls"
        self.tool_calls = tuple(script.tool_calls)
        limit = settings.max_tokens
        if limit is not None and limit < len(self.thoughts) + len(self.words):
            self.thoughts = self.thoughts[:limit]
            self.words = self.words[: limit - len(self.thoughts)]
            self.finish_reason, self.stop_sequence, self.tool_calls = "length", "", ()

    def scripted(self) -> Iterator[Chunk]:
        """The chunks up to where the script fails or falls silent."""
        failing = self.script.fail_after
        deltas, failure = failing if failing is not None else (self.script.hang_after, None)
        for chunk in self._chunks():
            if deltas is not None and isinstance(chunk, _DELTAS):
                if deltas == 0:
                    break
                deltas -= 1
            yield chunk
        if failure is not None:
            yield failure

    def _chunks(self) -> Iterator[Chunk]:
        yield Start(self.id, self.model, int(time.time()))
        blocks = itertools.count()
        if self.thoughts:
            block = next(blocks)
            yield BlockStart(block, "reasoning")
            for piece in self.thoughts:
                yield ReasoningDelta(block, piece, self._tokens(piece))
            yield BlockEnd(block)
        if self.words:
            yield from self._said(next(blocks))
        for call in self.tool_calls:
            block = next(blocks)
            yield BlockStart(block, "tool-call", call.id, call.name)
            for piece in pieces(call.arguments):
                yield ToolCallDelta(block, piece)
            yield BlockEnd(block)
        yield CandidateEnd(self.finish_reason, stop_sequence=self.stop_sequence)
        yield UsageReport(self._usage())

    def _said(self, block: int) -> Iterator[Chunk]:
        """The words, in the form that the task asks for."""
        match self.request.task:
            case "chat":
                yield BlockStart(block, "text")
                yield from (TextDelta(block, piece, self._tokens(piece)) for piece in self.words)
            case "transcription":
                yield BlockStart(block, "transcript")
                for piece in self.words:
                    yield TranscriptDelta(block, piece, tokens=self._tokens(piece))
            case "speech":
                yield BlockStart(block, "audio")
                yield from (AudioDelta(block, _tone(piece), "pcm16", _RATE_HZ, 1) for piece in self.words)
        yield BlockEnd(block)

    def _tokens(self, piece: str) -> tuple[Token, ...]:
        """An echo is certain of each piece: log probability 0. The id is the piece's CRC-32."""
        settings = self.request.settings
        if not settings.logprobs:
            return ()
        token = Token(piece, zlib.crc32(piece.encode()), 0.0)
        return (Token(piece, token.id, 0.0, top=(token,) if settings.top_logprobs else ()),)

    def _usage(self) -> Usage:
        called = sum(len(pieces(call.arguments)) for call in self.tool_calls)
        return Usage(
            _asked_tokens(self.request),
            len(self.thoughts) + len(self.words) + called,
            reasoning_tokens=len(self.thoughts),
        )


def _asked_tokens(request: Request) -> int:
    return sum(len(pieces(message.text)) for message in request.messages)


def _last_user_text(request: Request) -> str:
    last = next((m for m in reversed(request.messages) if m.role == "user"), Message("user"))
    if last.text or request.task != "transcription":
        return last.text
    heard = sum(len(part.data) for part in last.parts if isinstance(part, AudioPart))
    return f"{heard} bytes of sound"


def _tone(piece: str) -> bytes:
    """Raw samples that are as long as the piece, and no speech: a square wave."""
    half = (
        struct.pack("<h", _LOUDNESS) * _HALF_WAVE_SAMPLES + struct.pack("<h", -_LOUDNESS) * _HALF_WAVE_SAMPLES
    )
    waves = round(len(piece) * _TONE_S * _RATE_HZ / (2 * _HALF_WAVE_SAMPLES))
    return half * waves


def _cut_at_stop(text: str, stops: Sequence[str]) -> tuple[str, str]:
    """`text` up to the first stop text in it, and that stop text ("" where none is met)."""
    met = [(at, stop) for stop in stops if stop and (at := text.find(stop)) >= 0]
    if not met:
        return text, ""
    at, stop = min(met)
    return text[:at], stop


def _warnings(request: Request) -> tuple[str, ...]:
    settings = request.settings
    idle = [name for name in _NO_EFFECT if getattr(settings, name) is not None]
    warnings = [f"sim/echo does not sample: {', '.join(idle)} has no effect"] if idle else []
    if request.tools and (request.tool_choice is None or request.tool_choice.mode != "none"):
        warnings.append("sim/echo calls no tools by itself: tools has no effect")
    if request.response_format is not None and request.response_format.kind != "text":
        warnings.append("sim/echo says the message back as it is: response_format has no effect")
    if request.task == "chat" and any(name != "text" for name in request.modalities):
        warnings.append("sim/echo answers a chat in text: modalities has no effect")
    for how in (request.transcription, request.speech):
        asked = [name for name in how.__struct_fields__ if getattr(how, name)] if how is not None else []
        asked = [name for name in asked if name != "format"]  # which is for who encodes the sound
        if asked:
            warnings.append(f"sim/echo neither listens nor speaks: {', '.join(asked)} has no effect")
    users = [m for m in request.messages if m.role == "user"]
    read = (TextPart, AudioPart) if request.task == "transcription" else TextPart
    if users and any(not isinstance(part, read) for part in users[-1].parts):
        warnings.append("sim/echo reads text only: the other parts of the message are left out")
    own_fields(request.vendor, "", warnings)  # fields that only a provider could know
    return tuple(warnings)
