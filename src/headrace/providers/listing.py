"""Asking a place which models it has."""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.core.chunk import Failure
from headrace.core.model import ModelCard
from headrace.errors import HeadraceError, WireError
from headrace.providers.received import dated
from headrace.providers.row import ProviderRow, base_url_of, key_of, request_headers, secrets_of
from headrace.providers.scrub import scrubbed
from headrace.transport.fetch import fetch
from headrace.transport.http import HttpRequest, Sender
from headrace.transport.pool import pool_here
from headrace.wire import wire_named


async def list_models(
    row: ProviderRow, sender: Sender | None = None, *, total_s: float = 30.0
) -> list[ModelCard]:
    """The models that `row`'s place offers now, ids as Headrace takes them ("groq/llama-3.3-70b").

    The same GET for all places of the openai_chat wire: `/models`, an object with `data` or a bare list.
    Raises: AuthError (no key, or refused), ProviderError, WireError, StreamTimeoutException.
    """
    key = key_of(row)
    sent = request_headers(row, wire_named(row.wire), key, accept="application/json")
    request = HttpRequest("GET", base_url_of(row) + "/models", sent, b"", row.ca_file)
    try:
        response = await fetch(
            sender or pool_here(), request, connect_s=row.clocks.connect_s, total_s=total_s
        )
    except HeadraceError as error:
        failure = Failure.of(error)
    else:
        if response.status == 200:
            return [_card(row, each) for each in _listed(row, response.body)]
        headers = dated(response.headers)
        failure = wire_named(row.wire).failure(response.status, headers, response.body, row.name)
    # Raised out here, so that no unclean error hangs on it as its context.
    raise scrubbed(failure, secrets_of(row, key), row.name).error()


def _listed(row: ProviderRow, body: bytes) -> list[dict[str, Any]]:
    try:
        tree = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise WireError(f"{row.name} sent a model list that is not JSON", code="bad_model_list") from error
    data = tree.get("data") if isinstance(tree, dict) else tree
    if not isinstance(data, list):
        raise WireError(f"{row.name} sent a model list without data", code="bad_model_list")
    return [each for each in data if isinstance(each, dict) and isinstance(each.get("id"), str)]


def _card(row: ProviderRow, model: dict[str, Any]) -> ModelCard:
    # context_window: groq; context_length: openrouter, together, moonshot; max_model_len: vLLM.
    sizes = (model.get(name) for name in ("context_window", "context_length", "max_model_len"))
    created = model.get("created")
    return ModelCard(
        id=f"{row.name}/{model['id']}",
        owner=row.name,
        context_tokens=next((size for size in sizes if type(size) is int and size > 0), 0),
        created_s=created if type(created) is int else 0,
    )
