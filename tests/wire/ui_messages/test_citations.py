"""What supports a text: at its end, with places in units of UTF-16."""

from __future__ import annotations

from typing import Any

import pytest
from tests.node.page import VERSIONS, Page
from tests.wire.ui_messages.events import DONE, END_STEP, FINISH, START, STEP, decode, event, parts, piece

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Finish,
    Start,
    TextDelta,
)
from headrace.testing import stages
from headrace.wire.base import Says
from headrace.wire.ui_messages import UiEncoder, citations
from headrace.wire.ui_messages.parts import DERIVED

SAID: tuple[Chunk, ...] = (
    Start("i", "m", 5),
    BlockStart(0, "text"),
    TextDelta(0, "🚋 Tr"),
    TextDelta(0, "ams. Zürich."),
    Citation(0, "https://a", "A", "fifteen lines", 2, 8),
    Citation(0, "https://b"),
    Citation(0, "https://c", start=9, end=15),
    Citation(0, "https://d", quote="of it all"),
    Citation(0, "https://e", start=9, end=99),
    BlockEnd(0),
    CandidateEnd("stop", "stop"),
    Finish("stop", "stop"),
)


def encode(chunks: Any) -> bytes:
    return b"".join(stages.run(UiEncoder(Says("", "", 0)), [chunks]))


def cited(id: str, url: str, place: tuple[int, int] | None = None, **more: str) -> dict[str, Any]:
    title = {"title": more.pop("title")} if "title" in more else {}
    source = {"type": "source", "sourceType": "url", "id": id, "url": url, **title}
    places = {"startIndex": place[0], "endIndex": place[1]} if place else {}
    return {"source": source, **places, **more}


TOLD = [
    cited("source-1", "https://a", (3, 9), title="A", citedText="fifteen lines"),
    cited("source-3", "https://c", (10, 16)),
    cited("source-4", "https://d", citedText="of it all"),
    cited("source-5", "https://e"),
]


def test_the_end_of_a_text_says_what_supports_it() -> None:
    told = parts(encode(SAID))
    assert next(one for one in told if one["type"] == "text-end")["citations"] == TOLD
    assert [one["url"] for one in told if one["type"] == "source-url"] == [
        f"https://{name}" for name in "abcde"
    ]


def test_what_our_marks_have_said_is_not_said_again() -> None:
    back = decode(encode(SAID))
    assert [one for one in back if isinstance(one, Citation)] == [
        one for one in SAID if isinstance(one, Citation)
    ]
    assert BlockEnd(0) in back
    assert parts(encode(back)) == parts(encode(SAID))


def stream(text: str, *told: Any) -> tuple[Any, ...]:
    ends = event("text-end", id="0", citations=list(told))
    return (START, STEP, event("text-start", id="0"), piece("0", text), ends, END_STEP, FINISH, DONE)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ({"startIndex": 3, "endIndex": 9}, (2, 8)),
        ({"startIndex": 3}, (-1, -1)),
        ({"startIndex": 3, "endIndex": "9"}, (-1, -1)),
        ({"startIndex": 9, "endIndex": 3}, (-1, -1)),
        ({"startIndex": -1, "endIndex": 3}, (-1, -1)),
        ({"startIndex": 3, "endIndex": 99}, (-1, -1)),
    ],
)
def test_a_servers_places_become_characters(place: dict[str, Any], found: tuple[int, int]) -> None:
    said = stream("🚋 Trams. Zürich.", {**cited("1", "https://a", title="A"), **place})
    sources = [one for one in decode(*said) if isinstance(one, Citation)]
    assert sources == [Citation(0, "https://a", "A", "", *found, vendor=DERIVED)]
    assert parts(encode(decode(*said))) == parts(b"".join(said))


@pytest.mark.parametrize("told", [None, 3, "x"])
def test_a_citation_that_is_none_says_nothing_and_is_kept(told: Any) -> None:
    said = stream("x", told, {"source": told})
    assert not [one for one in decode(*said) if isinstance(one, Citation)]
    assert parts(encode(decode(*said))) == parts(b"".join(said))


def test_no_more_are_held_than_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.wire.ui_messages.writer.MAX_CITATIONS", 2)
    told = parts(encode(SAID))
    assert next(one for one in told if one["type"] == "text-end")[citations.CITATIONS] == TOLD[:2]
    assert sum(one["type"] == "source-url" for one in told) == 5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_page_keeps_them_with_their_text(page: Page, version: int) -> None:
    """Version 6 passes over them."""
    seen = page.read(version, stream=encode(SAID).decode())
    assert seen["error"] is None
    text = next(part for part in seen["message"]["parts"] if part["type"] == "text")
    assert text.get("citations") == (TOLD if version > 6 else None)
    for one in text.get("citations", ()):
        if "startIndex" in one:
            units = text["text"].encode("utf-16-le")
            quoted = units[one["startIndex"] * 2 : one["endIndex"] * 2].decode("utf-16-le")
            assert quoted in ("Trams.", "Zürich")
