"""The vendor's list of models, both directions.

Source: the official Python client (anthropic 2.11, `types/model_info.py`, `resources/models.py`,
`pagination.py`), read 2026-11-25: pages of 1 to 1000 models, 20 where not said, each asked for by the last id
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from headrace.core.model import ModelCard
from headrace.wire.model_list import Fields, Listing, ModelPage, entries, number, text
from headrace.wire.times import seconds_of, time_text

_PATH = "/models?limit=1000"


def read_page(body: bytes) -> ModelPage:
    """A page of models. Raises WireError."""
    found, whole = entries(body, "data")
    last = text(whole, "last_id")
    more = f"{_PATH}&after_id={quote(last, safe='')}" if whole.get("has_more") and last else ""
    return ModelPage(tuple(_card(each, id) for each in found if (id := text(each, "id"))), more)


def _card(entry: Fields, id: str) -> ModelCard:
    return ModelCard(
        id,
        description=text(entry, "display_name"),
        context_tokens=number(entry, "max_input_tokens"),
        created_s=seconds_of(text(entry, "created_at")),
    )


def model_body(card: ModelCard) -> Fields:
    """One model for a client. An unknown date of release is the epoch, as the vendor's own is."""
    return {
        "type": "model",
        "id": card.id,
        "display_name": card.id,
        "created_at": time_text(card.created_s),
        "lifecycle": "active",
        "max_input_tokens": card.context_tokens or None,
        "max_tokens": None,
    }


def list_body(cards: Sequence[ModelCard], has_more: bool) -> bytes:
    """A page of models. has_more: whether there are others behind it."""
    return msgspec.json.encode(
        {
            "data": [model_body(card) for card in cards],
            "has_more": has_more,
            "first_id": cards[0].id if cards else None,
            "last_id": cards[-1].id if cards else None,
        }
    )


LISTING = Listing(_PATH, read_page)
