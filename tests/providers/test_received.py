"""A wait that is told as a date, from places that do not say what time it is for them."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

import pytest

from headrace.config import Secret
from headrace.core.message import user
from headrace.core.request import Request
from headrace.errors import RateLimited
from headrace.providers import ProviderRow
from headrace.providers.listing import list_models
from headrace.providers.model import provider_model
from headrace.providers.received import dated
from headrace.transport.fake import FakeSender, Play
from headrace.wire.failing import retry_after_s

ROW = ProviderRow("up", "openai_chat", "https://up.example/v1", api_key=Secret("sk-geheim"))
NOW_S = 1_795_000_000.0


def in_s(seconds: float) -> str:
    return formatdate(NOW_S + seconds, usegmt=True)


def test_the_time_it_came_stands_in_for_a_missing_date() -> None:
    assert retry_after_s(dated({"retry-after": in_s(30)}, lambda: NOW_S)) == 30
    assert retry_after_s(dated({"retry-after": in_s(-30)}, lambda: NOW_S)) == 0


def test_the_places_own_date_wins_and_nothing_is_added_without_need() -> None:
    theirs = {"retry-after": in_s(30), "date": in_s(20)}
    assert retry_after_s(dated(theirs, lambda: NOW_S)) == 10
    for headers in (theirs, {}, {"content-type": "x"}):
        assert dated(headers, lambda: NOW_S) is headers


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "soon", ""])
def test_a_date_that_is_none_or_beyond_reason_asks_for_no_wait(date: str) -> None:
    assert retry_after_s(dated({"retry-after": date}, lambda: NOW_S)) is None


def limited() -> FakeSender:
    wait = {"content-type": "application/json", "retry-after": "Fri, 31 Dec 2038 23:59:59 GMT"}
    return FakeSender(Play(429, wait, b"{}"))


def test_calls_and_lists_both_know_the_time(basin: Any) -> None:
    async def main() -> list[float | None]:
        sink = basin()
        model = provider_model(ROW, "gpt", limited())
        model.open(Request("up/gpt", messages=(user("hi"),))).source.start(sink)
        failure = await sink.terminal()
        with pytest.raises(RateLimited) as raised:
            await list_models(ROW, limited())
        return [failure.detail["retry_after_s"], raised.value.retry_after_s]

    for wait_s in asyncio.run(main()):
        assert wait_s is not None
        assert 0 < wait_s < 1e9
