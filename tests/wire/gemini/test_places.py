"""Places in an answer: bytes for the vendor, characters for us; and how a refusal ends."""

from __future__ import annotations

from typing import Any

from tests.wire.gemini.events import reply, said, text

from headrace.core.chunk import (
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Citation,
    Finish,
    RefusalDelta,
    Start,
    TextDelta,
)
from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.gemini import GeminiDecoder, GeminiEncoder, response_body


def grounded(*places: tuple[int, int], uri: str = "https://a") -> dict[str, Any]:
    supports = [
        {"segment": {"startIndex": start, "endIndex": end}, "groundingChunkIndices": [0]}
        for start, end in places
    ]
    return {"groundingChunks": [{"web": {"uri": uri, "title": "A"}}], "groundingSupports": supports}


def test_the_vendors_bytes_become_characters_of_the_block_they_lie_in() -> None:
    signed = text("Zürich 🚋", thoughtSignature="c2ln")
    metadata = grounded((0, 7), (8, 12), (12, 15))
    candidate = reply(said(signed), said(text("ja!"), reason="STOP", groundingMetadata=metadata)).candidates[
        0
    ]
    found = [(one.block, one.start, one.end) for one in candidate.citations]
    assert found == [(0, 0, 6), (0, 7, 8), (1, 0, 3)]


ANSWER = [
    Start("r"),
    BlockStart(0, "text"),
    Citation(0, "https://a", "A"),
    TextDelta(0, "Zürich. "),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "🚋 rides"),
    Citation(1, "https://b", "B", start=2, end=7),
    BlockEnd(1),
    CandidateEnd("stop"),
    Finish(),
]


def test_characters_become_the_vendors_bytes() -> None:
    stream = b"".join(stages.run(GeminiEncoder(), [ANSWER]))
    whole = b"data: " + response_body(fold(ANSWER)) + b"\r\n\r\n"
    for body in (stream, whole):
        answer = fold(stages.run(GeminiDecoder(), [[body]]))
        cited = answer.candidates[0].citations
        assert [(one.url, one.start, one.end) for one in cited] == [
            ("https://a", 0, 8),
            ("https://b", 10, 15),
        ]
        assert b'"startIndex":14,"endIndex":19' in body
        assert answer.text.encode()[14:19] == b"rides"


def test_a_refusal_ends_with_a_word_of_its_own() -> None:
    chunks = [BlockStart(0, "refusal"), RefusalDelta(0, "No."), BlockEnd(0), CandidateEnd("stop"), Finish()]
    stream = b"".join(stages.run(GeminiEncoder(), [chunks]))
    whole = b"data: " + response_body(fold(chunks)) + b"\r\n\r\n"
    for body in (stream, whole):
        answer = fold(stages.run(GeminiDecoder(), [[body]]))
        assert (answer.text, answer.finish_reason) == ("No.", "content_filter")
