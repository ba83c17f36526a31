"""Asking a place for its models."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from headrace.config import Secret
from headrace.core.model import ModelCard
from headrace.errors import (
    AuthError,
    HeadraceError,
    RequestError,
    StreamTimeoutException,
    Unavailable,
    WireError,
)
from headrace.providers import ProviderRow
from headrace.providers.listing import MAX_PAGES, list_models
from headrace.testing.clock import run_virtual
from headrace.transport.fake import FakeSender, Play
from headrace.transport.fetch import MAX_BODY_BYTES
from headrace.wire import WIRES

ROW = ProviderRow("up", "openai_chat", "https://up.example/v1", api_key=Secret("sk-geheim"))
JSON = {"content-type": "application/json"}


def play(body: object, status: int = 200) -> Play:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Play(status, JSON, raw, cut_bytes=10 if len(raw) < 10_000 else 0)


def listed(body: object, status: int = 200) -> tuple[list[ModelCard], FakeSender]:
    fake = FakeSender(play(body, status))
    return asyncio.run(list_models(ROW, fake)), fake


def paged(wire: str, *bodies: object) -> tuple[list[ModelCard], list[str]]:
    """The cards of a list in pages, and the targets that were asked for."""
    row = msgspec.structs.replace(ROW, wire=wire)
    fake = FakeSender(*map(play, bodies))
    cards = asyncio.run(list_models(row, fake))
    assert all("geheim" in str(sent.headers) for sent in fake.requests)
    return cards, [sent.url.removeprefix(row.base_url) for sent in fake.requests]


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


def test_anthropics_pages_sizes_and_dates() -> None:
    first = {"id": "claude/1", "display_name": "Claude 1", "created_at": "2026-01-02T00:00:00Z"}
    cards, asked = paged(
        "anthropic",
        {"data": [{**first, "max_input_tokens": 200_000}], "has_more": True, "last_id": "claude/1"},
        {"data": [{"id": "b", "created_at": "no date"}], "has_more": False, "last_id": "b"},
    )
    assert cards == [
        ModelCard(
            "up/claude/1", description="Claude 1", owner="up", context_tokens=200_000, created_s=1767312000
        ),
        ModelCard("up/b", owner="up"),
    ]
    assert asked == ["/models?limit=1000", "/models?limit=1000&after_id=claude%2F1"]


def test_geminis_pages_names_and_methods() -> None:
    entry = {"inputTokenLimit": 1000, "description": "d", "supportedGenerationMethods": ["generateContent"]}
    cards, asked = paged(
        "gemini",
        {"models": [{"name": "models/a", **entry}], "nextPageToken": "t&x=1"},
        {
            "models": [
                {"name": "tunedModels/b"},
                {"name": "models/e", "supportedGenerationMethods": ["embedContent"]},
            ]
        },
    )
    assert cards == [
        ModelCard("up/a", description="d", owner="up", context_tokens=1000),
        ModelCard("up/tunedModels/b", owner="up"),
        ModelCard("up/e", ("embedding",), owner="up"),
    ]
    assert asked == ["/models?pageSize=1000", "/models?pageSize=1000&pageToken=t%26x%3D1"]


def test_ollamas_tags() -> None:
    details = {"family": "llama", "parameter_size": "8B", "quantization_level": "Q4_0"}
    cards, asked = paged(
        "ollama",
        {"models": [{"name": "a:latest", "model": "a:latest", "details": details}, {"name": "b"}, {}]},
    )
    assert cards == [
        ModelCard("up/a:latest", description="llama 8B Q4_0", owner="up"),
        ModelCard("up/b", owner="up"),
    ]
    assert asked == ["/api/tags"]


def test_tgis_one_model() -> None:
    cards, asked = paged("tgi", {"model_id": "org/m", "max_total_tokens": 4096})
    assert cards == [ModelCard("up/org/m", owner="up", context_tokens=4096)]
    assert asked == ["/info"]


def test_coheres_pages_and_sizes() -> None:
    cards, asked = paged(
        "cohere",
        {
            "models": [{"name": "a", "context_length": 128000, "endpoints": ["chat"]}],
            "next_page_token": "t&x",
        },
        {"models": [{"name": "b"}, {}]},
    )
    assert cards == [ModelCard("up/a", owner="up", context_tokens=128000), ModelCard("up/b", owner="up")]
    path = "/v1/models?endpoint=chat&page_size=1000"
    assert asked == [path, f"{path}&page_token=t%26x"]


def test_bedrocks_models_are_asked_for_at_its_other_host() -> None:
    models = [
        {"modelId": "v.a-1:0", "modelName": "A", "responseStreamingSupported": True},
        {"modelId": "v.b-1:0", "responseStreamingSupported": False},
        {"modelId": "v.c-1:0"},
    ]
    fake = FakeSender(play({"modelSummaries": models}))
    row = msgspec.structs.replace(
        ROW, wire="bedrock", base_url="https://bedrock-runtime.{}.amazonaws.com", region_names=("UP_REGION",)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UP_REGION", "eu-west-1")
        cards = asyncio.run(list_models(row, fake))
    assert cards == [
        ModelCard("up/v.a-1:0", description="A", owner="up"),
        ModelCard("up/v.c-1:0", owner="up"),
    ]
    assert [sent.url for sent in fake.requests] == [
        "https://bedrock.eu-west-1.amazonaws.com/foundation-models?byOutputModality=TEXT"
    ]


NO_LISTS = {
    "anthropic": [{"models": []}, b"[", {"data": {}}],
    "gemini": [{"data": []}, b"\xff"],
    "ollama": [{"models": "a"}, b""],
    "tgi": [{}, [], {"model_id": 3}, b"<html>"],
    "cohere": [{"data": []}, b"{"],
    "bedrock": [{"models": []}, {"modelSummaries": {}}],
}


@pytest.mark.parametrize(
    ("wire", "body"), [(wire, body) for wire, bodies in NO_LISTS.items() for body in bodies]
)
def test_what_is_no_list_is_a_wire_error_in_every_protocol(wire: str, body: object) -> None:
    with pytest.raises(WireError, match="up sent a model list") as caught:
        paged(wire, body)
    assert caught.value.code == "bad_model_list"


# TGI's place has one model and ui_messages none to tell of.
@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire not in ("tgi", "ui_messages")])
def test_odd_entries_are_left_out_and_never_raise(wire: str) -> None:
    odd = [None, 7, "x", [], {}, {"id": 7}, {"name": None}, {"id": "", "model": {}}]
    assert (
        paged(
            wire, {"data": odd, "models": odd, "modelSummaries": odd, "has_more": True, "nextPageToken": 7}
        )[0]
        == []
    )


def test_a_protocol_without_a_list_is_a_request_error_that_says_where_to_name_the_models() -> None:
    with pytest.raises(RequestError, match=r"providers\.up\.models") as caught:
        paged("ui_messages")
    assert (caught.value.field, caught.value.value) == ("provider", "up")


@pytest.mark.parametrize(
    ("wire", "page"),
    [
        ("anthropic", {"data": [], "has_more": True, "last_id": "a"}),
        ("gemini", {"models": [], "nextPageToken": "a"}),
        ("cohere", {"models": [], "next_page_token": "a"}),
    ],
)
def test_a_list_without_an_end_is_given_up(wire: str, page: object) -> None:
    with pytest.raises(WireError, match="no end"):
        paged(wire, *[page] * (MAX_PAGES + 1))


def test_all_pages_together_are_bounded() -> None:
    page = {"data": [], "has_more": True, "last_id": "a", "filler": "x" * (MAX_BODY_BYTES // 3)}
    with pytest.raises(WireError) as caught:
        paged("anthropic", *[page] * 4)
    assert caught.value.code == "body_too_large"


class SlowSender(FakeSender):
    """Begins each exchange 3 s after it was asked for."""

    def send(self, request: Any, receiver: Any, **more: Any) -> Any:
        begin = partial(super().send, request, receiver, **more)
        asyncio.get_running_loop().call_later(3, begin)
        return SimpleNamespace(cancel=lambda: None)


def test_the_deadline_holds_for_all_pages_together() -> None:
    page = {"data": [], "has_more": True, "last_id": "a"}

    async def main() -> float:
        slow = SlowSender(*[play(page)] * 9)
        with pytest.raises(StreamTimeoutException):
            await list_models(msgspec.structs.replace(ROW, wire="anthropic"), slow, total_s=5)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == pytest.approx(5, abs=0.1)
