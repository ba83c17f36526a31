"""The one model of a server, as its `/info` tells, both directions.

Source: `get_endpoint_info` of the official Python client (huggingface_hub 2.4) and TGI's `router/src/lib.rs`
(`Info`), read 2026-11-25. The counts of workers and batches say nothing of a model and are not written here.
"""

from __future__ import annotations

import msgspec

from headrace.core.model import ModelCard
from headrace.errors import WireError
from headrace.wire.model_list import Fields, Listing, ModelPage, number, read_json, text


def read_info(body: bytes) -> ModelPage:
    """A server's one model. Raises WireError."""
    told = read_json(body)
    id = text(told, "model_id") if isinstance(told, dict) else ""
    if not id:
        raise WireError("a model list without model_id", code="bad_model_list")
    return ModelPage((ModelCard(id, context_tokens=number(told, "max_total_tokens")),))


def info_body(card: ModelCard, version: str) -> bytes:
    """What a client is told of the model that answers. version: of the server."""
    body: Fields = {"model_id": card.id, "model_sha": None, "model_pipeline_tag": "text-generation"}
    if card.context_tokens:
        body["max_total_tokens"] = card.context_tokens
    return msgspec.json.encode({**body, "router": "headrace", "version": version})


LISTING = Listing("/info", read_info)
