"""The decoder on what an answer is made of: every shape seen in the wild, by hand from the schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.wire.openai_chat.events import DONE, TEXT, USAGE, decode, delta, event, failure, reply

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    CandidateEnd,
    Citation,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    TextDelta,
    Token,
    TranscriptDelta,
    UsageReport,
    VendorPart,
)
from headrace.core.fold import fold
from headrace.testing import stages
from headrace.wire.openai_chat import ChatDecoder, ChatEncoder, ChatRelay, completion_body


def test_an_ordinary_answer_is_start_block_usage_finish() -> None:
    assert decode(*TEXT, event(choices=[], usage=USAGE), DONE) == [
        Start("c-1", "m", 7),
        BlockStart(0, "text"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        BlockEnd(0),
        CandidateEnd("stop", "stop"),
        UsageReport(reply(*TEXT, event(choices=[], usage=USAGE), DONE).usage),  # type: ignore[arg-type]
        Finish("stop", "stop"),
    ]


def test_a_delta_comes_out_as_soon_as_its_event_is_whole() -> None:
    decoder = ChatDecoder()
    assert decoder.feed([TEXT[0], TEXT[1][:-1]]) == [Start("c-1", "m", 7)]
    assert decoder.feed([TEXT[1][-1:]]) == [BlockStart(0, "text"), TextDelta(0, "Hel")]


@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["crlf", "cr"])
def test_other_line_ends_a_mark_and_comments_make_no_difference(end: bytes) -> None:
    body = b"\xef\xbb\xbf: OPENROUTER PROCESSING\n\n" + b"".join(TEXT) + b": ping\n" + DONE
    assert decode(body.replace(b"\n", end)) == decode(*TEXT, DONE)


def test_reasoning_by_all_its_names() -> None:
    for field in ("reasoning_content", "reasoning"):
        got = reply(
            delta(**{field: "hm"}), delta(**{field: "m"}), delta(content="ok"), delta(reason="stop"), DONE
        )
        assert (got.reasoning, got.text) == ("hmm", "ok")


def test_reasoning_details_are_text_once_and_kept_whole() -> None:
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s"}]
    both = decode(delta(reasoning="hm", reasoning_details=details), delta(reason="stop"), DONE)
    alone = decode(delta(reasoning_details=details), delta(reason="stop"), DONE)
    for chunks in (both, alone):
        found = next(one for one in chunks if isinstance(one, ReasoningDelta))
        assert found.reasoning == "hm"
        assert found.vendor is not None
        assert found.vendor.data["delta"]["reasoning_details"] == details


def test_content_in_parts() -> None:
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    mixed = [{"type": "text", "text": "ok"}, {"type": "reference", "reference_ids": [1]}]
    got = decode(delta(content=thinking), delta(content=mixed), delta(reason="stop"), DONE)
    assert (fold(got).reasoning, fold(got).text) == ("hm", "ok")
    kept = next(one for one in got if isinstance(one, TextDelta)).vendor
    assert kept is not None
    assert kept.data["delta"]["content_parts"] == [mixed[1]]


def test_a_refusal_is_no_answer() -> None:
    entry = {"token": "No", "logprob": -0.5, "bytes": [78, 111], "top_logprobs": []}
    logprobs = {"content": None, "refusal": [entry]}
    chunks = decode(delta(refusal="No", logprobs=logprobs), delta(refusal="."), delta(reason="stop"), DONE)
    assert (fold(chunks).refusal, fold(chunks).text) == ("No.", "")
    assert next(one for one in chunks if isinstance(one, RefusalDelta)).tokens == (Token("No", logprob=-0.5),)


def test_log_probabilities_become_tokens_and_split_characters_keep_their_bytes() -> None:
    top = {"token": "\\xe6", "logprob": -1.0, "bytes": [230]}
    half = {"token": "\\xe6\\xbc", "logprob": -0.1, "bytes": [230, 188], "top_logprobs": [top]}
    chunks = decode(
        delta(content="", logprobs={"content": [half], "refusal": None}), delta(reason="stop"), DONE
    )
    found = next(one for one in chunks if isinstance(one, TextDelta))
    assert found == TextDelta(
        0, "", (Token("\\xe6\\xbc", None, -0.1, b"\xe6\xbc", (Token("\\xe6", None, -1.0, b"\xe6"),)),)
    )
    assert (found.logprob, found.token_count) == (-0.1, 1)


def test_log_probabilities_of_a_tool_call_are_kept() -> None:
    entry = {"token": "f", "logprob": -0.5, "bytes": [102], "top_logprobs": None}
    piece = [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]
    chunks = decode(delta(tool_calls=piece, logprobs={"content": [entry], "refusal": None}), DONE)
    kept = next(one for one in chunks if isinstance(one, VendorPart))
    assert kept.part.data["choices"][0]["logprobs"]["content"][0]["token"] == "f"


def test_usage_in_all_its_places() -> None:
    beside = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=USAGE)
    groq = event(
        choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], x_groq={"id": "r", "usage": USAGE}
    )
    for last in (beside, groq):
        usage = reply(*TEXT[:3], last, DONE).usage
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens) == (3, 2)


def test_usage_in_our_convention_with_the_vendors_kept() -> None:
    told = {**USAGE, "completion_tokens": 9, "total_tokens": 12, "cost": 0.5,
            "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 7}}  # fmt: skip
    usage = reply(*TEXT, event(choices=[], usage=told), DONE).usage
    assert usage is not None
    assert (usage.cached_input_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (2, 1, 7)
    assert usage.output_tokens == 9
    assert usage.vendor is not None
    assert usage.vendor.data == told


def test_reasoning_counted_beside_the_answer_is_added() -> None:
    told = {"prompt_tokens": 291, "completion_tokens": 26, "total_tokens": 513,
            "completion_tokens_details": {"reasoning_tokens": 196}}  # fmt: skip
    stream = b"".join([*TEXT, event(choices=[], usage=told), DONE])
    for quirks, output in (({"reasoning_beside_output": True}, 222), ({}, 26)):
        usage = fold(stages.run(ChatDecoder(quirks), [[stream]])).usage
        assert usage is not None
        assert (usage.output_tokens, usage.reasoning_tokens) == (output, 196)
        relay = ChatRelay(True, quirks)
        stages.run(relay, [[stream]])
        assert relay.usage == usage


def test_cumulative_usage_on_every_event_is_reported_when_it_changes() -> None:
    again = event(choices=[{"index": 0, "delta": {"content": "x"}}], usage=USAGE)
    chunks = decode(again, again, delta(reason="stop"), DONE)
    assert len([one for one in chunks if isinstance(one, UsageReport)]) == 1


def test_usage_that_is_no_count_breaks_the_wire() -> None:
    assert failure(*TEXT, event(choices=[], usage={"prompt_tokens": "many"}), DONE).kind == "wire"


def test_sound_and_its_transcript() -> None:
    chunks = decode(
        delta(audio={"id": "au", "transcript": "hi"}),
        delta(audio={"data": "AAEC"}),
        delta(audio={"transcript": " you"}),
        delta(audio={"expires_at": 99}),
        delta(reason="stop"),
        DONE,
    )
    sound = [one for one in chunks if isinstance(one, AudioDelta)]
    assert b"".join(one.data for one in sound) == b"\0\1\2"
    assert (sound[0].format, sound[0].sample_rate_hz, sound[0].channels) == ("pcm16", 24000, 1)
    assert sound[-1].vendor is not None
    assert "".join(one.text for one in chunks if isinstance(one, TranscriptDelta)) == "hi you"
    assert BlockStart(0, "audio", "au") in chunks
    assert failure(delta(audio={"data": "A"})).kind == "wire"


@pytest.mark.parametrize(
    ("asked", "data", "format"),
    [("", "UklGRg==", "wav"), ("wav", "AAEC", "pcm16"), ("wav", "UklGRg==", "wav"), ("mp3", "//uQ", "mp3")],
)
def test_sound_is_what_was_asked_for_unless_it_begins_otherwise(asked: str, data: str, format: str) -> None:
    stage = ChatDecoder({"asked_format": asked})
    chunks = stages.run(stage, [[delta(audio={"data": data}) + delta(reason="stop") + DONE]])
    sound = next(one for one in chunks if isinstance(one, AudioDelta))
    assert sound.format == format


def test_annotations_and_images() -> None:
    cited = {"url": "u", "title": "t", "start_index": 0, "end_index": 2}
    link = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}
    chunks = decode(
        delta(content="ok", annotations=[{"type": "url_citation", "url_citation": cited}]),
        delta(images=[link]),
        delta(reason="stop"),
        DONE,
    )
    found = next(one for one in chunks if isinstance(one, Citation))
    assert (found.block, found.url, found.title, found.start, found.end) == (0, "u", "t", 0, 2)
    assert next(one for one in chunks if isinstance(one, ImageDelta)).data == b"\0\1\2"


def test_unknown_fields_are_kept_beside_what_they_came_with() -> None:
    odd = event(
        choices=[
            {"index": 0, "delta": {"content": "x", "mood": 1}, "finish_reason": None, "filter": {"ok": True}}
        ],
        citations=["u"],
    )
    chunks = decode(odd, odd, delta(reason="stop"), DONE)
    assert chunks[0].vendor.data == {"citations": ["u"]}
    deltas = [one for one in chunks if isinstance(one, TextDelta)]
    assert [one.vendor.data for one in deltas if one.vendor] == [
        {"delta": {"mood": 1}, "filter": {"ok": True}}
    ] * 2
    assert not [one for one in chunks if isinstance(one, VendorPart)]  # the second citations say nothing new


def test_a_stream_full_of_unknown_fields_reads_the_same_after_the_strict_reading_is_given_up() -> None:
    odd = event(choices=[{"index": 0, "delta": {"content": "x"}, "mood": 1}])
    assert reply(*[odd] * 20, delta(reason="stop"), DONE).text == "x" * 20


def test_a_field_of_a_wrong_type_that_does_not_matter_is_kept_as_unknown() -> None:
    chunks = decode(
        event(created="now", choices=[{"index": 0, "delta": {"content": "x"}}]), delta(reason="stop")
    )
    assert chunks[0].vendor.data == {"created": "now"}
    assert fold(chunks).text == "x"


def test_what_comes_before_the_answer_has_an_id_waits_for_the_start() -> None:
    early = event(id="", model="", choices=[], prompt_filter_results=[1])
    chunks = decode(early, *TEXT, DONE)
    assert isinstance(chunks[0], Start)
    assert chunks[0].id == "c-1"
    assert chunks[0].vendor is not None
    assert chunks[0].vendor.data == {"prompt_filter_results": [1]}


def test_candidates_beside_each_other() -> None:
    chunks = decode(
        delta(0, content="a"), delta(1, content="b"), delta(0, content="c"), delta(1, reason="length"),
        delta(0, reason="stop"), DONE,
    )  # fmt: skip
    both = fold(chunks).candidates
    assert [(one.text, one.finish_reason) for one in both] == [("ac", "stop"), ("b", "length")]
    assert chunks[-1] == Finish("stop", "stop")


def test_one_candidate_unfinished_at_the_end_is_truncated() -> None:
    cut = failure(delta(0, content="a"), delta(1, content="b"), delta(0, reason="stop"))
    assert "candidate 1" in cut.message


@pytest.mark.parametrize("index", [-1, 128, 10**30])
def test_a_candidates_index_is_bounded(index: int) -> None:
    failed = failure(delta(index, content="a"))
    assert failed.kind == "wire"
    assert "index" in failed.message
    assert stages.run(ChatRelay(True), [[delta(index, content="a")]])[-1] == failed


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"citations": ["https://a", "https://b"]}, [("https://a", "", ""), ("https://b", "", "")]),
        (
            {"search_results": [{"url": "https://a", "title": "A", "snippet": "q"}, {"title": "nowhere"}]},
            [("https://a", "A", "q")],
        ),
    ],
)
def test_sources_beside_the_choices_are_citations_for_other_wires(fields: Any, told: Any) -> None:
    def piece(said: str, reason: str | None = None) -> bytes:
        return event(choices=[{"index": 0, "delta": {"content": said}, "finish_reason": reason}], **fields)

    chunks = decode(piece("x"), piece("y"), piece("", "stop"), DONE)
    cited = [one for one in chunks if isinstance(one, Citation)]
    assert [(one.block, one.url, one.title, one.quote) for one in cited] == [(0, *one) for one in told]
    # To a client of this wire they go as they came, once.
    assert b"annotations" not in b"".join(stages.run(ChatEncoder(include_usage=False), [chunks]))
    body = json.loads(completion_body(fold(chunks)))
    assert {name: body[name] for name in fields} == fields
    assert "annotations" not in body["choices"][0]["message"]
