"""What a caller asks of a model, in no vendor's shape."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from headrace.core.message import Message
from headrace.core.opaque import Opaque

PresetName: TypeAlias = Literal["default", "creative", "precise", "code"]
Modality: TypeAlias = Literal["text", "audio", "image"]
Task: TypeAlias = Literal["chat", "transcription", "speech"]

# Closed ranges; what lies outside is moved to the nearer end by `GenerationSettings.clamped`.
RANGES: dict[str, tuple[float, float]] = {
    "max_tokens": (1, 2**31 - 1),
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "top_k": (0, 2**31 - 1),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
    "top_logprobs": (0, 20),
    "n": (1, 128),
    "seed": (-(2**63), 2**63 - 1),
    "reasoning_budget_tokens": (0, 2**31 - 1),
}
# The most tokens of reasoning that an effort stands for, where one of the two must be said as the other.
EFFORT_TOKENS = {"none": 0, "minimal": 1024, "low": 2048, "medium": 8192, "high": 24576, "xhigh": 32768}


class GenerationSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to generate. `None` leaves the choice to the model.

    max_tokens: of the answer. temperature: 0 to 2. top_p, min_p: 0 to 1. stop: texts that end the answer.
    logprobs, top_logprobs: ask for log probabilities and up to 20 alternatives. n: candidates.
    reasoning_effort: how much to reason, in the model's own word (none, low, medium, high, ...).
    reasoning_budget_tokens: the same as a bound, where the model takes one.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    top_logprobs: int | None = None
    n: int = 1
    reasoning_effort: str | None = None
    logit_bias: dict[str, float] | None = None
    reasoning_budget_tokens: int | None = None

    @property
    def effort(self) -> str | None:
        """`reasoning_effort`, or the least word whose tokens cover the budget; None where neither is set."""
        budget = self.reasoning_budget_tokens
        if self.reasoning_effort is not None or budget is None:
            return self.reasoning_effort
        return next((word for word, tokens in EFFORT_TOKENS.items() if budget <= tokens), "max")

    def outside(self) -> dict[str, float]:
        """The settings that lie outside their range (`RANGES`), with the nearer end of it."""
        moved: dict[str, float] = {}
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                moved[name] = low if value < low else high
        return moved

    def clamped(self) -> GenerationSettings:
        """The same settings with every number inside its range (`RANGES`)."""
        moved = self.outside()
        return msgspec.structs.replace(self, **moved) if moved else self

    @classmethod
    def make(cls, **settings: Any) -> GenerationSettings:
        """Settings from keywords, clamped; an unknown name is a TypeError."""
        if "stop" in settings:
            stop = settings["stop"]
            settings["stop"] = (stop,) if isinstance(stop, str) else tuple(stop or ())
        return cls(**settings).clamped()

    @classmethod
    def preset(cls, name: PresetName) -> GenerationSettings:
        """One of the four presets: default, creative, precise, code."""
        return PRESETS[name]


PRESETS: dict[PresetName, GenerationSettings] = {
    "default": GenerationSettings(temperature=0.7, top_p=0.9),
    "creative": GenerationSettings(temperature=1.1, top_p=0.95),
    "precise": GenerationSettings(temperature=0.1, top_p=0.5),
    "code": GenerationSettings(temperature=0.2, top_p=0.9),
}


class Tool(msgspec.Struct, frozen=True, omit_defaults=True):
    """A function the model may ask for. parameters: a JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    strict: bool | None = None
    vendor: Opaque | None = None


class ToolChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the model may (auto), may not (none) or must (required) call; `name` pins one tool."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    name: str = ""


class ResponseFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """The form of the answer: text, any JSON object, or JSON of `schema`."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    name: str = ""
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class Speech(msgspec.Struct, frozen=True, omit_defaults=True):
    """How what is spoken sounds. voice: the vendor's name. format: wav, mp3, pcm16, opus, flac, aac.

    speed: 1 is ordinary. instructions: how to say it, in words.
    """

    voice: str = ""
    format: str = ""
    speed: float | None = None
    instructions: str = ""


class Transcription(msgspec.Struct, frozen=True, omit_defaults=True):
    """How what is heard is written down. language: ISO 639-1, empty: told by the sound.

    hint: words that help to hear names right. times: what is to be timed. speakers: tell them apart.
    translate_to: the language to write it down in, empty: the one that is spoken.
    """

    language: str = ""
    hint: str = ""
    times: tuple[Literal["word", "segment"], ...] = ()
    speakers: bool = False
    translate_to: str = ""


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call. `vendor` holds fields of the caller's wire that we do not model, for that wire only.

    task: answer the messages (chat), write down the sound in the last one (transcription), or say its text
    (speech). modalities: what the answer may hold; empty: the model's choice.
    """

    model: str
    messages: tuple[Message, ...] = ()
    settings: GenerationSettings = msgspec.field(default_factory=GenerationSettings)
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    user: str = ""
    vendor: Opaque | None = None
    task: Task = "chat"
    modalities: tuple[Modality, ...] = ()
    speech: Speech | None = None
    transcription: Transcription | None = None
