"""Forms: any cut, limits, what clients really send, and the standard library's parser as a second opinion."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from itertools import product
from typing import Any

import aiohttp
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.core.chunk import Failure
from headrace.framing.multipart import (
    FormPart,
    MultipartDecoder,
    PartHead,
    boundary_of,
    encode_form,
    read_form,
)
from headrace.testing import stages, work

SOUND = bytes(range(256)) + b"\r\n--" + b"\r\n--x-not" + b"\r\r\n\n--x"
FORM = (
    b"ignored\r\n--x \t\r\n"
    b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    + SOUND
    + b"\r\n--x\r\ncontent-disposition:form-data;name=model\r\n\r\nwhisper-1"
    b'\r\n--x\r\nX-Odd: a\r\n\tb\r\nContent-Disposition: form-data; name="empty"\r\n\r\n'
    b"\r\n--x--\r\nan epilogue\r\n--x\r\n"
)
PARTS = [
    FormPart("file", SOUND, "a.wav", "audio/wav"),
    FormPart("model", b"whisper-1"),
    FormPart("empty", b""),
]


def form(*heads: str, boundary: str = "x") -> bytes:
    return b"".join(f"--{boundary}\r\n{head}\r\n\r\nv\r\n".encode() for head in heads) + b"--x--\r\n"


def failure(body: bytes, **limits: Any) -> Failure:
    return stages.inert_after_failure(lambda: MultipartDecoder("x", **limits), body, b"--x\r\n")


def test_any_cut_any_truncation_any_garbage() -> None:
    stages.check(lambda: MultipartDecoder("x"), FORM, normal=stages.joined)
    assert read_form(FORM, "x") == PARTS


def test_content_comes_as_soon_as_it_cannot_be_a_boundary() -> None:
    decoder = MultipartDecoder("x")
    assert decoder.feed(FORM[: FORM.index(SOUND)]) == [PartHead("file", "a.wav", "audio/wav")]
    assert decoder.feed(b"abc") == [b"abc"]
    assert decoder.feed(b"\r\n--") == []
    assert decoder.feed(b"y") == [b"\r\n--y"]


@pytest.mark.parametrize(
    "unit",
    [
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n',
        b"\r\n--x-",
        b"\r",
        b"a",
        b'--x\r\nContent-Disposition: form-data; name="a\\\r\n\r\n',
    ],
)
def test_work_is_linear(unit: bytes) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename=""\r\n\r\n'

    def inside() -> MultipartDecoder:
        decoder = MultipartDecoder("x", max_parts=10_000)
        decoder.feed(head)
        return decoder

    work.linear(inside, unit)


def test_memory_is_bounded() -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    for unit in (b"a" * 1000, b"\r\n--x" * 200, b"\r" * 1000):
        work.bounded(lambda: MultipartDecoder("x"), unit, first=head, limit_bytes=12_288)
    work.bounded(lambda: MultipartDecoder("x", max_head_bytes=2000), b"a" * 100, limit_bytes=12_288)


NAMED = 'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    ("body", "limits", "code"),
    [
        (form(NAMED, NAMED, NAMED), {"max_parts": 2}, "too_many_parts"),
        (form(NAMED + "\r\nX: " + "y" * 100), {"max_head_bytes": 90}, "part_head_too_long"),
        (b"--x\r\nX: " + b"y" * 100, {"max_head_bytes": 90}, "part_head_too_long"),
        (b"y" * 100, {"max_head_bytes": 90}, "part_head_too_long"),
        (form(NAMED).replace(b"v", b"v" * 11), {"max_field_bytes": 10}, "field_too_long"),
        (form("Content-Disposition: attachment; name=a"), {}, "bad_part_head"),
        (form("Content-Disposition: form-data"), {}, "bad_part_head"),
        (form("no colon"), {}, "bad_part_head"),
        (form(""), {}, "bad_part_head"),
        (form(NAMED)[:-6], {}, "truncated"),
        (b"", {}, "truncated"),
        (form(NAMED).replace(b"\r\n", b"\n"), {}, "truncated"),
    ],
)
def test_what_is_wrong_is_one_typed_failure_wherever_it_is_cut(
    body: bytes, limits: dict[str, int], code: str
) -> None:
    assert failure(body, **limits).code == code
    stages.check(lambda: MultipartDecoder("x", **limits), body, garbage=(), normal=stages.joined)


def test_exactly_at_a_limit_is_within_it() -> None:
    limits = {"max_parts": 2, "max_head_bytes": len(NAMED), "max_field_bytes": 1}
    assert not any(
        isinstance(one, Failure) for one in stages.run(MultipartDecoder("x", **limits), [form(NAMED, NAMED)])
    )


def test_a_file_has_no_field_limit() -> None:
    body = form(NAMED + "; filename=f").replace(b"v", b"v" * 100)
    assert b"v" * 100 in stages.run(MultipartDecoder("x", max_field_bytes=10), [body])


@pytest.mark.parametrize("boundary", ["", "y" * 71])
def test_a_boundary_that_is_none(boundary: str) -> None:
    with pytest.raises(ValueError, match="boundary"):
        MultipartDecoder(boundary)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", "abc"),
        ('Multipart/Form-Data; charset=utf-8; Boundary="a b;c"', "a b;c"),
        ("multipart/form-data;boundary=abc;", "abc"),
        ("multipart/form-data", ""),
        ("multipart/mixed; boundary=abc", ""),
        ('multipart/form-data; boundary="abc', ""),
        ("multipart/form-data; boundary=" + "a" * 71, ""),
        ("application/json", ""),
        ("", ""),
    ],
)
def test_the_boundary_in_a_content_type(content_type: str, boundary: str) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"a.wav"', "a.wav"),
        ("a.wav", "a.wav"),
        ('"a\\"b"', 'a"b'),
        ('"a%22b"', 'a"b'),
        ('"C:\\dir\\a.wav"', "C:\\dir\\a.wav"),
        ('"a\\\\b"', "a\\b"),
        ('"100%25"', "100%25"),
        ('"Grüße 🎵.wav"', "Grüße 🎵.wav"),
        ("x; filename*=UTF-8''Gr%C3%BC%C3%9Fe.wav", "Grüße.wav"),
        ("\"x\"; filename*=latin-1''%FC", "x"),
        ("x; filename*=broken", "x"),
        ('""', ""),
    ],
)
def test_file_names_as_clients_write_them(written: str, name: str) -> None:
    parts = read_form(form(f"{NAMED}; filename={written}"), "x")
    assert parts == [FormPart("a", b"v", name)]


def httpx_form(fields: dict[str, str], file: bytes) -> tuple[bytes, str]:
    files = {"file": ('Grüße "x".wav', file, "audio/wav")}
    sent = httpx.Request("POST", "http://localhost", data=fields, files=files)
    return sent.read(), sent.headers["content-type"]


def aiohttp_form(fields: dict[str, str], file: bytes) -> tuple[bytes, str]:
    sent = aiohttp.FormData(quote_fields=False)
    for name, value in fields.items():
        sent.add_field(name, value)
    sent.add_field("file", file, filename='Grüße "x".wav', content_type="audio/wav")
    body = sent()
    written: list[bytes] = []

    class Writer:
        async def write(self, data: bytes) -> None:
            written.append(bytes(data))

    stepping = body.write(Writer())  # type: ignore[arg-type]
    try:
        while True:
            stepping.send(None)
    except StopIteration:
        pass
    return b"".join(written), body.content_type


@pytest.mark.parametrize("write", [httpx_form, aiohttp_form])
def test_forms_of_the_common_clients(write: Any) -> None:
    body, content_type = write({"model": "whisper-1", "timestamp_granularities[]": "word"}, SOUND)
    read = read_form(body, boundary_of(content_type))
    assert isinstance(read, list)
    assert {part.name: part.data for part in read} == {
        "model": b"whisper-1",
        "timestamp_granularities[]": b"word",
        "file": SOUND,
    }
    file = next(part for part in read if part.name == "file")
    assert (file.filename, file.content_type) == ('Grüße "x".wav', "audio/wav")


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="%\x00"), max_size=12)
CONTENT = st.lists(
    st.sampled_from([b"\r\n", b"--", b"headrace-", b"\r", b"\n", b"a", b"\xff", b"\r\n--headrace-"])
).map(b"".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(PLAIN, CONTENT, st.none() | PLAIN), max_size=5))
def test_what_is_written_is_read_and_never_depends_on_cuts(given_parts: list[Any]) -> None:
    parts = [FormPart(name, data, filename) for name, data, filename in given_parts]
    body, content_type = encode_form(parts)
    boundary = boundary_of(content_type)
    assert encode_form(parts) == (body, content_type)
    if parts:
        assert read_form(body, boundary) == parts
        stages.every_split(lambda: MultipartDecoder(boundary), body, examples=0, normal=stages.joined)


@pytest.mark.parametrize(
    "name, data",  # noqa: PT006
    list(product(["file", 'a"b', "é"], [b"", SOUND, b"--", b"\r\n--headrace"])),
)
def test_the_standard_library_reads_what_is_written(name: str, data: bytes) -> None:
    body, content_type = encode_form([FormPart(name, data, "f.wav", "audio/wav"), FormPart("b", b"1")])
    message = BytesParser(policy=HTTP).parsebytes(
        b"content-type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    first, second = message.iter_parts()
    assert (first.get_content_type(), first.get_filename()) == ("audio/wav", "f.wav")
    assert first.get_payload(decode=True) == data
    assert second.get_payload(decode=True) == b"1"


def test_a_content_type_that_would_break_the_head() -> None:
    with pytest.raises(ValueError, match="content type"):
        encode_form([FormPart("a", b"", "f", "audio/wav\r\nx: y")])
