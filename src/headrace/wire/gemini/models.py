"""The vendor's list of models, both directions.

Source: the official Python client (google-genai 3.4, `models.py`), read 2026-11-25: names begin with
`models/`, and each page but the last has a `nextPageToken`.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from headrace.core.model import Capability, ModelCard
from headrace.wire.gemini.schema import Fields
from headrace.wire.model_list import Listing, ModelPage, entries, number, text

PREFIX = "models/"
_PATH = "/models?pageSize=1000"
_METHODS: dict[str, Capability] = {"generateContent": "llm", "embedContent": "embedding"}


def read_page(body: bytes) -> ModelPage:
    """A page of models. Raises WireError."""
    found, whole = entries(body, "models")
    token = text(whole, "nextPageToken")
    more = f"{_PATH}&pageToken={quote(token, safe='')}" if token else ""
    return ModelPage(tuple(_card(each, name) for each in found if (name := text(each, "name"))), more)


def _card(entry: Fields, name: str) -> ModelCard:
    methods = entry.get("supportedGenerationMethods")
    told = methods if isinstance(methods, list) else list(_METHODS)[:1]
    return ModelCard(
        name.removeprefix(PREFIX),
        capabilities=tuple(can for method, can in _METHODS.items() if method in told),
        description=text(entry, "description", "displayName"),
        context_tokens=number(entry, "inputTokenLimit"),
    )


def model_body(card: ModelCard) -> Fields:
    """One model for a client."""
    body: Fields = {"name": PREFIX + card.id, "displayName": card.id}
    if card.description:
        body["description"] = card.description
    if card.context_tokens:
        body["inputTokenLimit"] = card.context_tokens
    speaks = not {"llm", "vlm"}.isdisjoint(card.capabilities)
    body["supportedGenerationMethods"] = ["generateContent", "countTokens"] if speaks else []
    return body


def list_body(cards: Iterable[ModelCard], next_token: str) -> bytes:
    """A page of models. next_token: what asks for the next one, empty: there is none."""
    body: Fields = {"models": [model_body(card) for card in cards]}
    if next_token:
        body["nextPageToken"] = next_token
    return msgspec.json.encode(body)


LISTING = Listing(_PATH, read_page)
