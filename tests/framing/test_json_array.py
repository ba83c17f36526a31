"""Values of a JSON array in any split."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.core.chunk import Failure
from headrace.framing.json_array import JsonArrayDecoder
from headrace.testing import stages, work

TABLE: dict[str, tuple[bytes, list[bytes]]] = {
    "objects": (b'[{"a":1},{"b":2}]', [b'{"a":1}', b'{"b":2}']),
    "as google writes it": (
        b'[{\n  "a": [1]\n}\n,\r\n{\n  "b": {}\n}\n]\n',
        [b'{\n  "a": [1]\n}', b'{\n  "b": {}\n}'],
    ),
    "nothing in it": (b" [ ] ", []),
    "one object alone": (b'\n{"a":[{}]}\n', [b'{"a":[{}]}']),
    "brackets in strings": (b'[{"a":"}]\\"{["}, "]\\\\" ]', [b'{"a":"}]\\"{["}', b'"]\\\\"']),
    "scalars": (b'[1 ,-2.5e3,null,"a", true]', [b"1", b"-2.5e3", b"null", b'"a"', b"true"]),
    "arrays": (b"[[[]],[1,2]]", [b"[[]]", b"[1,2]"]),
    "what follows is not read": (b"[1] ]}x", [b"1"]),
}

BROKEN: dict[str, tuple[bytes, list[bytes]]] = {
    "no array": (b"hello", []),
    "a number alone": (b"1 ", []),
    "no comma": (b"[{} {}]", [b"{}"]),
    "two commas": (b"[1,,2]", [b"1"]),
    "a comma first": (b"[,1]", []),
    "a comma last": (b"[1,]", [b"1"]),
    "a brace where a value should be": (b"[}]", []),
}


@pytest.mark.parametrize(("stream", "values"), TABLE.values(), ids=TABLE.keys())
def test_values(stream: bytes, values: list[bytes]) -> None:
    assert stages.every_split(JsonArrayDecoder, stream) == values
    stages.garbage_everywhere(JsonArrayDecoder, stream)
    stages.inert_after_close(JsonArrayDecoder, stream)


@pytest.mark.parametrize(("stream", "values"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_array_is_one_failure(stream: bytes, values: list[bytes]) -> None:
    *good, last = stages.every_split(JsonArrayDecoder, stream)
    assert good == values
    assert isinstance(last, Failure)
    assert (last.kind, last.code) == ("wire", "not_json")
    assert stages.inert_after_failure(JsonArrayDecoder, stream) == last


@pytest.mark.parametrize("stream", [b"", b" ", b"[", b"[1,", b'[{"a":', b'{"a":"\\', b"[1"])
def test_a_cut_array_is_truncated(stream: bytes) -> None:
    last = stages.every_split(JsonArrayDecoder, stream)[-1]
    assert isinstance(last, Failure)
    assert last.kind == "truncated"


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_any_array_gives_its_values(values: list[Any], indent: int | None, ascii_only: bool) -> None:
    stream = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    out = stages.every_split(JsonArrayDecoder, stream, examples=0)
    assert [json.loads(value) for value in out] == values


def test_a_value_is_given_with_its_last_byte() -> None:
    decoder = JsonArrayDecoder()
    assert decoder.feed(b'[{"a":1') == []
    assert decoder.feed(b"}") == [b'{"a":1}']
    assert not decoder.ended
    assert decoder.feed(b",\r\n{}") == [b"{}"]
    assert decoder.feed(b"]") == []
    assert decoder.ended


def test_over_the_limit_is_one_failure() -> None:
    def limited() -> JsonArrayDecoder:
        return JsonArrayDecoder(max_value_bytes=8)

    assert stages.every_split(limited, b'["123456"]') == [b'"123456"']
    first, last = stages.every_split(limited, b'[1, "1234567", 2]')
    assert first == b"1"
    assert isinstance(last, Failure)
    assert last.code == "value_too_long"
    with pytest.raises(ValueError, match="at least 1"):
        JsonArrayDecoder(max_value_bytes=0)


class _Endless:
    """The decoder with an array already open."""

    def __init__(self, limit_bytes: int = 2**20, before: bytes = b"[") -> None:
        self._decoder = JsonArrayDecoder(limit_bytes)
        self._decoder.feed(before)

    def feed(self, data: bytes) -> list[bytes | Failure]:
        return self._decoder.feed(data)

    def close(self) -> list[bytes | Failure]:
        return self._decoder.close()


@pytest.mark.parametrize("unit", [b'{"a":"\\"b\\\\"}\n,\r\n', b"[[1]],", b'"xxxxxxxx",', b" "])
def test_linear(unit: bytes) -> None:
    work.linear(_Endless, unit)


def test_linear_in_one_long_string() -> None:
    work.linear(lambda: _Endless(before=b'["'), b"x\\n[{")


def test_bounded() -> None:
    assert work.bounded(lambda: _Endless(10_000, b'["'), b"x" * 100, limit_bytes=25_000) > 9_000
