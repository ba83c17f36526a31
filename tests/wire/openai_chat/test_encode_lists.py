"""What is sent in pieces and put together by the official client: sources, images, sound."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Chunk,
    Citation,
    Finish,
    ImageDelta,
    Start,
    TextDelta,
    TranscriptDelta,
)
from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.openai_chat import ChatEncoder, completion_body

END = (CandidateEnd("stop"), Finish())
TWO_BLOCKS: list[Chunk] = [
    BlockStart(0, "text"),
    Citation(0, "https://a", "A"),  # Anthropic's come before the text they are about
    TextDelta(0, "Zürich. "),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "It has 🚋 "),
    Citation(1, "https://b", "B", start=3, end=6),
    Citation(1, "https://c", "C"),
    TextDelta(1, "and hills."),
    BlockEnd(1),
]
PLACES = [("https://a", 0, 8), ("https://b", 11, 14), ("https://c", 8, 27)]


def message(*chunks: Chunk) -> dict[str, Any]:
    """The message as the official client accumulates it, as plain data."""
    stream = b"".join(stages.run(ChatEncoder(include_usage=False), [[Start("c"), *chunks, *END]]))
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for event in stream.split(b"\n\n"):
        if event.startswith(b"data: {"):
            state.handle_chunk(ChatCompletionChunk.model_validate_json(event[6:]))
    return state.get_final_completion().choices[0].message.model_dump()


def places(annotations: list[Any]) -> list[tuple[str, int, int]]:
    cited = [one["url_citation"] for one in annotations]
    return [(one["url"], one["start_index"], one["end_index"]) for one in cited]


def test_sources_have_their_places_in_the_whole_answer_at_once_or_when_their_block_ends() -> None:
    assert sorted(places(message(*TWO_BLOCKS)["annotations"])) == PLACES


def test_so_they_have_in_an_answer_that_is_not_streamed() -> None:
    body = json.loads(completion_body(fold([Start("c"), *TWO_BLOCKS, *END])))
    assert sorted(places(body["choices"][0]["message"]["annotations"])) == PLACES


def test_a_source_of_a_block_that_nobody_ends_is_said_at_the_end() -> None:
    said = message(BlockStart(0, "text"), Citation(0, "https://a"), TextDelta(0, "four"))
    assert places(said["annotations"]) == [("https://a", 0, 4)]


def test_two_images_stay_two() -> None:
    images = (BlockStart(0, "image"), ImageDelta(0, b"one", "image/png"), BlockEnd(0))
    more = (BlockStart(1, "image"), ImageDelta(1, b"two", "image/png"), BlockEnd(1))
    urls = [one["image_url"]["url"] for one in message(*images, *more)["images"]]
    assert [b64decode(url.partition(",")[2]) for url in urls] == [b"one", b"two"]


def test_sound_in_pieces_of_any_length_is_joined_by_clients_that_join_its_base64() -> None:
    pieces = [b"\0", b"\1\2\3", b"", b"\4\5\6\7", b"\xff"]
    sound = [AudioDelta(0, piece) for piece in pieces]
    for ends in ((BlockEnd(0),), ()):
        audio = message(BlockStart(0, "audio", "au"), *sound, TranscriptDelta(1, "hi"), *ends)["audio"]
        assert b64decode(audio["data"], validate=True) == b"".join(pieces)
        assert audio["transcript"] == "hi"
