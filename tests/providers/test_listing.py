"""Asking a place for its models."""

from __future__ import annotations

import asyncio
import json

import pytest

from headrace.config import Secret
from headrace.core.model import ModelCard
from headrace.errors import AuthError, HeadraceError, Unavailable, WireError
from headrace.providers import ProviderRow
from headrace.providers.listing import list_models
from headrace.transport.fake import FakeSender, Play

ROW = ProviderRow("up", "openai_chat", "https://up.example/v1", api_key=Secret("sk-geheim"))
JSON = {"content-type": "application/json"}


def listed(body: object, status: int = 200) -> tuple[list[ModelCard], FakeSender]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fake = FakeSender(Play(status, JSON, raw, cut_bytes=10))
    return asyncio.run(list_models(ROW, fake)), fake


def test_ids_sizes_and_dates() -> None:
    models = [
        {"id": "a", "object": "model", "created": 5, "owned_by": "x"},
        {"id": "b", "context_window": 10},
        {"id": "c", "context_length": 20, "created": None},
        {"id": "d", "max_model_len": 30},
        {"object": "model"},
        "nonsense",
    ]
    cards, fake = listed({"object": "list", "data": models})
    assert [(card.id, card.context_tokens, card.created_s) for card in cards] == [
        ("up/a", 0, 5),
        ("up/b", 10, 0),
        ("up/c", 20, 0),
        ("up/d", 30, 0),
    ]
    assert all(card.owner == "up" for card in cards)
    sent = fake.requests[0]
    assert (sent.method, sent.url) == ("GET", "https://up.example/v1/models")
    assert sent.headers["authorization"] == "Bearer sk-geheim"


def test_a_bare_list_is_taken_too() -> None:
    cards, _ = listed([{"id": "a"}])
    assert [card.id for card in cards] == ["up/a"]


@pytest.mark.parametrize("body", [b"<html>", {"models": []}, 3])
def test_what_is_no_list_is_a_wire_error(body: object) -> None:
    with pytest.raises(WireError, match="up sent a model list"):
        listed(body)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (503, Unavailable)])
def test_statuses_are_typed_and_keys_do_not_show(status: int, kind: type[HeadraceError]) -> None:
    with pytest.raises(kind) as caught:
        listed({"error": {"message": "bad key sk-geheim"}}, status)
    text = f"{caught.value!r}{caught.value.details()}{caught.value.__cause__!r}{caught.value.__context__!r}"
    assert "geheim" not in text
    assert caught.value.provider == "up"  # type: ignore[attr-defined]
