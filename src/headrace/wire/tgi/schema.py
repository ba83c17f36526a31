"""The vendor's JSON for text generation, as Structs.

Source: Hugging Face Text Generation Inference, `docs/openapi.json`, `router/src/lib.rs`, `server.rs` and
`infer/mod.rs` at db931fcf (January 2026), and the official Python client (huggingface_hub 2.4,
`inference/_generated/types/text_generation.py`), read 2026-11-21. The Structs of the answer forbid unknown
fields on purpose: such an event is read again as plain data, so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any

import msgspec

WIRE_NAME = "tgi"


class TokenBody(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One token. special: it is no text of the answer, such as the end-of-sequence token."""

    id: int
    text: str
    logprob: float | None = None
    special: bool = False


class StreamDetails(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What the last event tells, where the request asked for details."""

    finish_reason: str = ""
    generated_tokens: int = 0
    input_length: int = 0
    seed: int | None = None


class Event(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One event. generated_text is the whole answer, and stands in the last event only."""

    token: TokenBody | None = None
    index: int | None = None
    top_tokens: list[TokenBody] | None = None
    generated_text: str | None = None
    details: StreamDetails | None = None
    error: Any = None
    error_type: str | None = None


class Grammar(msgspec.Struct):
    """The form of the answer. type: json, json_schema or regex."""

    type: str
    value: Any = None


class Parameters(msgspec.Struct):
    """How to generate. The last eight have no place in `GenerationSettings`."""

    max_new_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: list[str] | None = None
    do_sample: bool | None = None
    top_n_tokens: int | None = None
    grammar: Grammar | None = None
    details: bool | None = None
    return_full_text: bool | None = None
    best_of: int | None = None
    repetition_penalty: float | None = None
    typical_p: float | None = None
    truncate: int | None = None
    watermark: bool | None = None
    decoder_input_details: bool | None = None
    adapter_id: str | None = None


OWN_PARAMETERS = (
    "best_of",
    "repetition_penalty",
    "typical_p",
    "truncate",
    "watermark",
    "decoder_input_details",
    "adapter_id",
)


class RequestBody(msgspec.Struct):
    """A request. model is not the vendor's: its servers have one model each."""

    inputs: str
    parameters: Parameters | None = None
    stream: bool | None = None
    model: str | None = None
