"""No part of a key gets out, wherever a text from outside was cut, quoted or already redacted."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.config import Secret
from headrace.core.chunk import Failure
from headrace.errors import WireError
from headrace.providers.scrub import scrubbed
from headrace.transport.failures import BadResponse, not_http
from headrace.transport.inflate import Inflater
from headrace.wire.failing import broken
from headrace.wire.openai_chat.event import read_oddly
from headrace.wire.openai_chat.failure import failure_from_event, failure_from_response

KEY = "QZWXKEYjv7781khasd9912fgvbnmyt"
SURVIVES_CHARS = 3


def clean(failure: Failure, key: str = KEY) -> Failure:
    return scrubbed(failure, (Secret(key),), "up")


def assert_silent(failure: Failure, key: str = KEY) -> None:
    """Nothing in the failure holds a piece of the key longer than what may survive, in any case."""
    told = repr(failure).lower()
    size = SURVIVES_CHARS + 1
    pieces = {key[at : at + size].lower() for at in range(len(key) - size + 1)}
    assert [piece for piece in pieces if piece in told] == []


def said(text: str) -> bytes:
    return json.dumps({"error": {"message": text, "code": text, "type": text, "param": text}}).encode()


@pytest.mark.parametrize("around", [(900, 1010), (4000, 4110)])
def test_a_key_that_an_error_bodys_cut_goes_through(around: tuple[int, int]) -> None:
    for before in range(*around):
        body = said("p" * before + KEY + " and more " * 500)
        assert_silent(clean(failure_from_response(401, {}, body, "up")))
        assert_silent(clean(failure_from_response(500, {}, b"p" * before + KEY.encode() + b"x" * 5000, "up")))
        assert_silent(clean(failure_from_event(json.loads(body))))


def test_a_key_that_a_broken_events_cut_goes_through() -> None:
    for before in range(60, 160):
        data = b"{" + b"p" * before + KEY.encode() + b"!" * 200
        assert_silent(clean(broken(data, 1, "bad")))
        found = read_oddly(data, "", 1)
        assert isinstance(found, Failure)
        assert_silent(clean(found))


def test_a_key_in_a_content_encoding() -> None:
    for before in range(100):
        with pytest.raises(BadResponse) as raised:
            Inflater.for_coding("p" * before + KEY)
        assert_silent(clean(not_http("up", raised.value)))


@pytest.mark.parametrize(
    "key", ["tenant-key-abcdefgh", "sk-abcdefgh+ijkl/mnop=", "qwer.sk-asdfgh.zxcv", "bearer qwertz,uiopas"]
)
def test_a_key_that_was_redacted_in_part_by_its_looks(key: str) -> None:
    failure = clean(failure_from_response(401, {}, said(f"no such key: {key}, sorry"), "up"), key)
    assert_silent(failure, key)
    assert failure.message.endswith(", sorry")


@pytest.mark.parametrize(
    "written", [KEY.lower(), KEY.upper(), "\\u0051" + KEY[1:]], ids=["lower", "upper", "escaped"]
)
def test_a_key_that_is_written_in_another_way(written: str) -> None:
    body = b'{"error": {"message": "no: %b"}}' % written.encode()
    assert_silent(clean(failure_from_response(401, {}, body, "up")))


def test_a_slash_that_json_escapes_hides_no_key() -> None:
    key = "abcd/efgh+ijkl/mnop"
    body = b'{"broken": "' + key.replace("/", "\\/").encode()
    assert_silent(clean(failure_from_response(401, {}, body, "up"), key), key)


@pytest.mark.parametrize("safe", ["", "/"])
def test_an_address_hides_no_key(safe: str) -> None:
    key = "abcd/efgh+ijkl/mnop=="
    there = f"http://up/?key={quote(key, safe=safe)}&v=1"
    failure = clean(failure_from_response(302, {"location": there}, b"", "up"), key)
    assert_silent(failure, key)
    assert "http://up/?key=***&v=1" in failure.message


@given(st.text("ab.*", max_size=12), st.integers(0, 30), st.text("ab.*", max_size=12))
def test_any_piece_at_a_mark_goes_and_nothing_else_does(before: str, size: int, after: str) -> None:
    piece = KEY[:size]
    message = scrubbed(Failure.of(WireError(f"{before}{piece}...{after}")), (Secret(KEY),), "up").message
    shown = piece if size <= SURVIVES_CHARS else "***"
    assert message == f"up: {before}{shown}...{after}"


def test_words_that_only_share_letters_with_a_key_stay() -> None:
    failure = Failure.of(WireError(f"{KEY[:6]} begins so and {KEY[-6:]} ends so", code=KEY[2:9]))
    assert clean(failure).message == f"up: {failure.message}"
    assert clean(failure).code == failure.code


def test_every_part_of_a_failure_is_looked_at() -> None:
    detail: dict[str, Any] = {KEY: [KEY, {"deep": (KEY, 7)}], "bytes": KEY.encode()}
    assert_silent(clean(Failure("wire", KEY, KEY, detail=detail)))


def test_a_vendors_word_is_as_long_as_a_word() -> None:
    failure = failure_from_response(400, {}, said("w" * 100_000), "up")
    assert len(repr(failure)) < 12_000


@pytest.mark.parametrize("key", ["ollama", "OLLAMA", "llama"])
def test_a_key_that_is_a_part_of_the_providers_name_hides_no_name(key: str) -> None:
    for said in ("ollama answered 401: no", "127.0.0.1:11434 refused the connection"):
        told = scrubbed(Failure.of(WireError(said)), (Secret(key), Secret(KEY)), "ollama")
        assert told.message in (said, f"ollama: {said}")
        assert told.detail["provider"] == "ollama"


def test_every_failure_names_its_provider_once() -> None:
    assert clean(Failure.of(WireError("up answered 500"))).message == "up answered 500"
    assert clean(Failure.of(WireError("[::1]:1 refused the connection"))).message.startswith(
        "up: [::1]:1 ref"
    )
    assert clean(Failure.of(WireError("upstream is gone"))).message == "up: upstream is gone"
