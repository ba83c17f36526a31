"""OpenAI's list of models, both directions: the same beside chat, completions and responses.

Source: the official Python client (openai 3.52, `types/model.py`), read 2026-11-25. Other places tell the
size of the context beside it: `context_window` (Groq), `context_length` (OpenRouter, Together, Moonshot),
`max_model_len` (vLLM).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from headrace.core.model import ModelCard
from headrace.wire.model_list import Fields, Listing, ModelPage, entries, number, text

_SIZES = ("context_window", "context_length", "max_model_len")


def read_page(body: bytes) -> ModelPage:
    """An object with `data`, or a bare list (Together). Raises WireError."""
    found, _ = entries(body, "data")
    return ModelPage(tuple(_card(each, id) for each in found if (id := text(each, "id"))))


def _card(entry: Fields, id: str) -> ModelCard:
    return ModelCard(id, context_tokens=number(entry, *_SIZES), created_s=number(entry, "created"))


def model_body(card: ModelCard) -> Fields:
    """One model for a client. Beside the vendor's fields: what else the card says."""
    body: Fields = {
        "id": card.id,
        "object": "model",
        "created": card.created_s,
        "owned_by": card.owner,
        "capabilities": list(card.capabilities),
        "state": card.state,
    }
    if card.context_tokens:
        body["context_tokens"] = card.context_tokens
    if card.description:
        body["description"] = card.description
    if card.aliases:
        body["aliases"] = list(card.aliases)
    return body


def list_body(cards: Iterable[ModelCard]) -> bytes:
    """The whole list: this protocol has no pages."""
    return msgspec.json.encode({"object": "list", "data": [model_body(card) for card in cards]})


LISTING = Listing("/models", read_page)
