"""A provider's model as the rest of the house sees it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from headrace.config import Secret
from headrace.core.chunk import (
    Chunk,
)
from headrace.core.content import holds_content
from headrace.core.model import ModelCard, Opened, OpenedRelay
from headrace.core.request import Request
from headrace.providers.call import BodyStage, CallPlan, ProviderSource
from headrace.providers.quirks import checked_quirks
from headrace.providers.row import ProviderRow, base_url_of, key_of, request_headers, secrets_of
from headrace.transport.http import HttpRequest, Sender
from headrace.transport.pool import pool_here
from headrace.wire import wire_named
from headrace.wire.base import Relay, WireRequest
from headrace.wire.carried import holds_carried
from headrace.wire.count import CountStage


class ProviderModel:
    """One model of one provider. Needs no connection until a source of it is started.

    sender: where requests go; None: the running loop's own pool.
    """

    def __init__(self, row: ProviderRow, model_name: str, sender: Sender | None = None) -> None:
        self._row = row
        self._name = model_name
        self._sender = sender
        self._wire = wire_named(row.wire)
        self._quirks = checked_quirks(row)
        self._card = ModelCard(
            id=f"{row.name}/{model_name}", capabilities=self._wire.capabilities, owner=row.name
        )

    def __repr__(self) -> str:
        return f"ProviderModel({self._card.id!r})"

    @property
    def card(self) -> ModelCard:
        return self._card

    def open(self, request: Request, /) -> Opened:
        """See `Model.open`. Raises AuthError where the key is not set."""
        built = self._wire.build(msgspec.structs.replace(request, model=self._name), self._quirks)
        told = {**self._quirks, **built.asked} if built.asked else self._quirks
        decode = self._wire.body_decoder
        body_stage: BodyStage | None = None if decode is None else lambda kind: decode(kind, told)
        source: ProviderSource[Chunk] = self._source(
            built, self._wire.decoder(told), holds_content, body_stage
        )
        return Opened(source, built.warnings)

    def open_count(self, request: Request, /) -> Opened | None:
        """See `CountsTokens.open_count`. Raises AuthError where the key is not set."""
        counting = self._wire.counting
        named = msgspec.structs.replace(request, model=self._name)
        built = counting.build(named, self._quirks) if counting is not None else None
        if counting is None or built is None:
            return None
        stage = CountStage(counting.read)
        source: ProviderSource[Chunk] = self._source(
            built, stage, _is_the_count, content_type="application/json"
        )
        return Opened(source, built.warnings)

    def open_relay(self, wire: str, body: bytes, include_usage: bool, /) -> OpenedRelay | None:
        """See `Model.open_relay`. Raises AuthError where the key is not set."""
        if wire != self._row.wire or self._wire.relay is None or self._wire.rebody is None:
            return None
        if holds_carried(body):  # what we put there for another: only `build` leaves it out
            return None
        sent = self._wire.rebody(body, self._name, self._quirks)
        if sent is None:
            return None
        relay = self._wire.relay(include_usage, self._quirks)
        request = WireRequest(_relay_path(self._row.wire, self._name), sent)
        source: ProviderSource[bytes] = self._source(request, relay, _Counted(relay))
        return OpenedRelay(source, relay)

    def _source(
        self,
        built: WireRequest,
        stage: Any,
        is_content: Any,
        body_stage: BodyStage | None = None,
        content_type: str = "",
    ) -> ProviderSource[Any]:
        """content_type: of a good answer; empty: the wire's."""
        row = self._row
        key = key_of(row)
        content_type = content_type or self._wire.content_type
        headers = request_headers(row, self._wire, key, accept=built.accept or content_type)
        headers.setdefault("content-type", built.content_type)
        request = HttpRequest("POST", base_url_of(row) + built.path, headers, built.body, row.ca_file)
        plan = self._plan(key, content_type, body_stage)
        return ProviderSource(plan, request, self._sender or pool_here(), stage, is_content)

    def _plan(self, key: Secret | None, content_type: str, body_stage: BodyStage | None) -> CallPlan:
        return CallPlan(
            provider=self._row.name,
            content_type=content_type,
            failure=self._wire.failure,
            clocks=self._row.clocks,
            secrets=secrets_of(self._row, key),
            body_stage=body_stage,
        )


@lru_cache(maxsize=1024)
def _relay_path(wire: str, model_name: str) -> str:
    """Where a model's answers are asked for: its wire tells it with any request."""
    return wire_named(wire).build(Request(model=model_name), {}).path


def _is_the_count(_batch: Sequence[Chunk]) -> bool:
    return True


class _Counted:
    """Whether a relay has let content pass since it was last asked: its frames are bytes and do not tell."""

    __slots__ = ("_count", "_relay")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._count = 0

    def __call__(self, batch: Sequence[bytes]) -> bool:
        count = self._relay.content_events
        if count == self._count:
            return False
        self._count = count
        return True


def provider_model(row: ProviderRow, model_name: str, pool: Sender | None = None) -> ProviderModel:
    """The model that `row`'s place calls `model_name`. Raises RequestError for a wire there is not."""
    return ProviderModel(row, model_name, pool)
