"""The 23 behaviours that the web platform tests call `eventsource/format-*`, with data of our own.

For each: the content type, the bytes, the events as (event, data, id), the `retry` and last event id left.
`None` for the events: the connection must fail, for its content type is not an event stream's.
"""

from __future__ import annotations

from typing import NamedTuple

GOOD = "text/event-stream"


class Case(NamedTuple):
    name: str
    stream: bytes
    events: tuple[tuple[str, str, str], ...] | None
    retry: int | None = None
    last_event_id: str = ""
    content_type: str = GOOD


def _m(*data: str, id: str = "") -> tuple[tuple[str, str, str], ...]:
    return tuple(("message", one, id) for one in data)


_LONG = b"." * 3000
_MARK = b"\xef\xbb\xbf"

CASES: tuple[Case, ...] = (
    # One mark at the very beginning is dropped; a later one is part of the field's name.
    Case("format-bom", _MARK + b"data:a\n\n" + _MARK + b"data:b\n\ndata:c\n\n", _m("a", "c")),
    Case("format-bom-2", _MARK + _MARK + b"data:a\n\ndata:b\n\ndata:c\n\n", _m("b", "c")),
    Case(
        "format-comments",
        b"data:p\r:\0\n:\r\ndata:q\n:" + _LONG + b"\rdata:r\n:data:no\r:" + _LONG + b"\ndata:s\n\n",
        _m("p\nq\nr\ns"),
    ),
    # The stream ends before the blank line: neither the data nor the id counts.
    Case(
        "format-data-before-final-empty-line",
        b"retry:900\ndata:first\n\nid:late\ndata:second\n",
        _m("first"),
        retry=900,
    ),
    Case("format-field-data", b"data:\n\ndata\ndata\n\ndata:end\n\n", _m("", "\n", "end")),
    Case(
        "format-field-event",
        b"event:ready\ndata:1\n\ndata:2\n\n",
        (("ready", "1", ""), ("message", "2", "")),
    ),
    Case("format-field-event-empty", b"event: \ndata:body\n\n", _m("body")),
    Case("format-field-id", "id: \u2026\ndata:hi\n\n".encode(), _m("hi", id="\u2026"), None, "\u2026"),
    Case(
        "format-field-id-2",
        "id: \u2026\ndata:hi\n\ndata:again\n\ndata:more\n\n".encode(),
        _m("hi", "again", "more", id="\u2026"),
        last_event_id="\u2026",
    ),
    # The id persists, changes, and is reset by an empty one with or without a colon.
    Case(
        "format-field-id-3",
        b"id: 7\ndata:a\n\ndata:b\n\nid: 8\ndata:c\n\nid:\ndata:d\n\nid: 9\ndata:e\n\nid\ndata:f\n\n",
        _m("a", "b", id="7") + _m("c", id="8") + _m("d") + _m("e", id="9") + _m("f"),
    ),
    Case(
        "format-field-id-null",
        b"id:\0\0\ndata:1\n\nid:y\0\ndata:2\n\nid:\0y\ndata:3\n\nid:y\0y\ndata:4\n\nid: \0\ndata:5\n\n",
        _m("1", "2", "3", "4", "5"),
    ),
    Case(
        "format-field-parsing",
        b"data:\0\ndata:  B\rData:A\ndata\0:B\ndata:A\r\0data:D\nda-ta:C\rdata_E\ndata:C\rdata:\r\n"
        b" data:CB\ndata:D\n\n",
        _m("\0\n B\nA\nC\n\nD"),
    ),
    # Leading zeros do not make it octal.
    Case("format-field-retry", b"retry:02500\ndata:x\n\n", _m("x"), retry=2500),
    Case("format-field-retry-bogus", b"retry:2500\nretry:900x\nretry:1_0\ndata:x\n\n", _m("x"), retry=2500),
    Case("format-field-retry-empty", b"retry\ndata:body\n\nretry:\ndata:body\n\n", _m("body", "body")),
    Case(
        "format-field-unknown",
        b"data:a\n data\ndata\nother:yyy\nplain words\n:a comment\ndata:b\n\n",
        _m("a\n\nb"),
    ),
    Case("format-leading-space", b"data:\ta\rdata: \ndata:b\n\n", _m("\ta\n\nb")),
    Case("format-mime-bogus", b"data:a\n\n", None, content_type="y wrong"),
    Case("format-mime-trailing-semicolon", b"data:a\n\n", _m("a"), content_type="text/event-stream;"),
    Case("format-mime-valid-bogus", b"data:a\n\n", None, content_type="text/x-wrong"),
    Case("format-newlines", b"data:a\r\ndata\ndata:b\r\n\r", _m("a\n\nb")),
    Case("format-null-character", b"data:\0\n\n\n\n", _m("\0")),
    # Always UTF-8, whatever the charset parameter says.
    Case(
        "format-utf-8",
        "data:ok\u2026\n\n".encode(),
        _m("ok\u2026"),
        content_type="text/event-stream;charset=windows-1252",
    ),
)
