"""The vendor's list of models.

Source: the official Python client (cohere 7.3, `models/raw_client.py`, `types/get_model_response.py`), read
2026-11-25: pages of 1 to 1000 models, 20 where not said. Only those that chat are asked for: the others
(embeddings, reranking) are behind other endpoints.
"""

from __future__ import annotations

from urllib.parse import quote

from headrace.core.model import ModelCard
from headrace.wire.model_list import Listing, ModelPage, entries, number, text

_PATH = "/v1/models?endpoint=chat&page_size=1000"


def read_page(body: bytes) -> ModelPage:
    """A page of models. Raises WireError."""
    found, whole = entries(body, "models")
    token = text(whole, "next_page_token")
    more = f"{_PATH}&page_token={quote(token, safe='')}" if token else ""
    cards = (ModelCard(text(each, "name"), context_tokens=number(each, "context_length")) for each in found)
    return ModelPage(tuple(card for card in cards if card.id), more)


LISTING = Listing(_PATH, read_page)
