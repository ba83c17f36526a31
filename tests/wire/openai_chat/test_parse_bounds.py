"""Numbers and texts of any size in a client's body: an error that names the field, and stays short."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.errors import RequestError
from headrace.wire.openai_chat import parse_request

MAX_MESSAGE_CHARS = 400
HUGE = (10**400, -(10**400), 10**4299, 2**63)


def refused(**fields: Any) -> RequestError:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    with pytest.raises(RequestError) as raised:
        parse_request(json.dumps(body).encode())
    assert len(raised.value.message) <= MAX_MESSAGE_CHARS
    assert len(raised.value.field) <= 100
    assert raised.value.http_status == 400
    return raised.value


@pytest.mark.parametrize("value", HUGE, ids=["huge", "below", "as long as there are", "int64 and one"])
@pytest.mark.parametrize(
    "field",
    [
        "max_tokens",
        "max_completion_tokens",
        "n",
        "top_k",
        "top_logprobs",
        "seed",
        "temperature",
        "top_p",
        "min_p",
        "frequency_penalty",
        "presence_penalty",
    ],
)
def test_a_number_of_any_size_is_refused_by_name(field: str, value: int) -> None:
    error = refused(logprobs=True, **{field: value})
    assert error.field == field
    assert error.message.startswith(f"{field}: ")


@pytest.mark.parametrize("value", HUGE)
def test_so_is_a_bias(value: int) -> None:
    assert refused(logit_bias={"7": value}).field.startswith("logit_bias")


def test_limits_are_told_as_they_are() -> None:
    assert refused(max_tokens=2**31).message == (
        "max_tokens: must be between 1 and 2147483647 (it is 2147483648)"
    )
    assert refused(temperature=2.5).message == "temperature: must be between 0 and 2 (it is 2.5)"
    assert refused(n=0).message == "n: must be between 1 and 128 (it is 0)"


LONG = "y" * 9000


@pytest.mark.parametrize(
    "fields",
    [
        {"logit_bias": {"9" * 9000: 500}},
        {"response_format": {"type": LONG}},
        {"tools": [{"type": LONG}]},
        {"tool_choice": LONG},
        {"tool_choice": {"type": "function", "function": {"name": LONG}}},
        {"messages": [{"role": LONG, "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": LONG}]}]},
        {"max_tokens": LONG},
        {"stop": [LONG] * 5},
        {"model": [LONG]},
    ],
)
def test_what_is_quoted_of_a_value_is_short(fields: dict[str, Any]) -> None:
    refused(**fields)


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00", "\\uD83Dx", "\\ude00\\ud83d"])
def test_half_a_character_is_called_that(half: str) -> None:
    body = f'{{"model": "m", "messages": [{{"role": "user", "content": "{half}"}}]}}'
    with pytest.raises(RequestError, match="half of a surrogate pair") as raised:
        parse_request(body.encode())
    assert raised.value.code == "invalid_json"


def test_other_broken_json_is_not() -> None:
    for body in (b'{"a": "\\ud83d\\ude00"', b"{", b'{"a": "\\u0041}'):
        with pytest.raises(RequestError, match="not valid JSON") as raised:
            parse_request(body)
        assert "surrogate" not in raised.value.message
