"""The vendor's endpoints about models, both directions: `/api/tags`, `/api/show`, `/api/ps`.

Source: Ollama's `docs/api.md` and `api/types.go`, and the official Python client (ollama 0.6.3, `_types.py`),
read 2026-11-25. Our models have no files of this vendor's kind: sizes, templates and the like are left out.
The digest is one of the id, since clients shorten it and take it to be there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from headrace.core.model import ModelCard
from headrace.wire.model_list import Fields, Listing, ModelPage, entries, text
from headrace.wire.reading import read_body
from headrace.wire.times import time_text

# Our capabilities in the vendor's words.
_CAN = {"llm": ("completion",), "vlm": ("completion", "vision"), "embedding": ("embedding",)}
_DETAILS = ("family", "parameter_size", "quantization_level")


def read_tags(body: bytes) -> ModelPage:
    """The models of a server. Raises WireError."""
    found, _ = entries(body, "models")
    return ModelPage(tuple(_card(each, id) for each in found if (id := text(each, "model", "name"))))


def _card(entry: Fields, id: str) -> ModelCard:
    details = entry.get("details")
    told = details if isinstance(details, dict) else {}
    return ModelCard(id, description=" ".join(word for name in _DETAILS if (word := text(told, name))))


class _ShowBody(msgspec.Struct):
    model: str = ""
    name: str = ""  # what older clients call it


def parse_show(body: bytes) -> str:
    """The model that a client asks about. Raises RequestError."""
    asked, _ = read_body(body, _ShowBody)
    return asked.model or asked.name


def tags_body(cards: Iterable[ModelCard]) -> bytes:
    """Every model for a client."""
    return msgspec.json.encode({"models": [_entry(card) for card in cards]})


def running_body(cards: Iterable[ModelCard]) -> bytes:
    """The models that are in memory now."""
    found = []
    for card in cards:
        body = _entry(card)
        if card.context_tokens:
            body["context_length"] = card.context_tokens
        found.append(body)
    return msgspec.json.encode({"models": found})


def show_body(card: ModelCard) -> bytes:
    """One model for a client."""
    info: dict[str, Any] = {"general.architecture": card.owner, "general.basename": card.id}
    if card.context_tokens:
        info[f"{card.owner}.context_length"] = card.context_tokens
    can = dict.fromkeys(word for capability in card.capabilities for word in _CAN.get(capability, ()))
    body: Fields = {"details": _details(card), "model_info": info, "capabilities": list(can)}
    if card.created_s:
        body["modified_at"] = time_text(card.created_s)
    return msgspec.json.encode(body)


def _entry(card: ModelCard) -> Fields:
    digest = hashlib.sha256(card.id.encode()).hexdigest()
    body: Fields = {"name": card.id, "model": card.id, "digest": digest, "details": _details(card)}
    if card.created_s:
        body["modified_at"] = time_text(card.created_s)
    return body


def _details(card: ModelCard) -> Fields:
    return {"family": card.owner, "families": [card.owner]}


LISTING = Listing("/api/tags", read_tags)
