"""What the official client makes of answers that we write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import errors
from tests.wire.gemini.events import RICH, TEXT, call, decode, event, piece, plain, said, text, thought

from headrace.core.chunk import (
    AudioDelta,
    BlockEnd,
    BlockStart,
    Cancelled,
    CandidateEnd,
    Citation,
    Failure,
    Finish,
    ImageDelta,
    ReasoningDelta,
    RefusalDelta,
    Start,
    Step,
    TextDelta,
    Token,
    ToolCallDelta,
    TranscriptDelta,
    UsageReport,
    Verdict,
)
from headrace.core.fold import fold
from headrace.core.request import Request
from headrace.core.usage import Usage
from headrace.errors import RateLimited, Truncated, Unavailable
from headrace.testing import stages
from headrace.wire.base import ParsedRequest, Says
from headrace.wire.gemini import ARRAY_FRONT, WIRE, GeminiEncoder, response_body

# As it comes from an OpenAI-compatible provider: calls interleaved, usage behind the end.
FOREIGN: list[Any] = [
    Start("c-1", "gpt-x", 7),
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "Let me "),
    ReasoningDelta(0, "see"),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "Hé"),
    TextDelta(1, "llo", tokens=(Token("llo", 7, -0.5, top=(Token("ya", 8, -2.0),)),)),
    Citation(1, "https://a.example", "A", "Hé", 0, 2),
    BlockEnd(1),
    BlockStart(2, "tool-call", "call_a", "add"),
    BlockStart(3, "tool-call", "call_b", "now"),
    ToolCallDelta(2, '{"a":'),
    ToolCallDelta(3, ""),
    ToolCallDelta(2, "1}"),
    BlockEnd(2),
    BlockEnd(3),
    Step("guard", 1, 1),
    Verdict("safe"),
    CandidateEnd("tool_calls", "tool_calls"),
    UsageReport(Usage(10, 7, cached_input_tokens=4, reasoning_tokens=2)),
    Finish("tool_calls", "tool_calls"),
]


def encode(chunks: list[Any], **options: Any) -> bytes:
    return b"".join(stages.run(GeminiEncoder(**options), [chunks]))


def test_an_answer_of_another_protocol_is_taken_by_the_official_client(official: Any, said_by: Any) -> None:
    responses = official(encode(FOREIGN, id="r-9", model="asked-for")).stream()
    answer = said_by(responses)
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Héllo", "Let me see", "STOP")
    calls = [one for response in responses for one in response.function_calls or ()]
    assert [(one.id, one.name, one.args) for one in calls] == [
        ("call_a", "add", {"a": 1}),
        ("call_b", "now", {}),
    ]
    last = responses[-1]
    usage = last.usage_metadata
    assert usage is not None
    assert answer.counts == (10, 5, 2, 17)
    assert usage.cached_content_token_count == 4
    assert {one.model_version for one in responses} == {"asked-for"}
    assert {one.response_id for one in responses} == {"r-9"}
    grounding = last.candidates[0].grounding_metadata
    assert grounding.grounding_chunks[0].web.uri == "https://a.example"
    segment = grounding.grounding_supports[0].segment
    assert (segment.start_index, segment.end_index) == (0, len("Hé".encode()))
    chosen = responses[3].candidates[0].logprobs_result.chosen_candidates
    assert [(one.token, one.token_id, one.log_probability) for one in chosen] == [("llo", 7, -0.5)]


def test_the_official_chat_remembers_what_was_said(official: Any) -> None:
    history = official(encode(FOREIGN)).history()
    parts = [part for content in history for part in content.parts or ()]
    assert [part.text for part in parts if part.text and not part.thought] == ["Hé", "llo"]
    assert [part.function_call.name for part in parts if part.function_call] == ["add", "now"]


def test_the_whole_answer_of_another_protocol(official: Any, said_by: Any) -> None:
    whole = official(response_body(fold(FOREIGN)), content_type="application/json").whole()
    assert said_by([whole]) == said_by(official(encode(FOREIGN)).stream())
    assert whole.text == "Héllo"
    assert whole.model_version == "gpt-x"


@pytest.mark.parametrize("array", [False, True])
def test_the_encoder_is_a_stage(array: bool) -> None:
    def make() -> GeminiEncoder:
        return GeminiEncoder(array=array)

    stages.check(make, FOREIGN, normal=stages.joined)
    stages.check(make, decode(*RICH), normal=stages.joined)


@pytest.mark.parametrize("stream", [TEXT, RICH], ids=["text", "rich"])
def test_the_same_wire_gives_the_same_events(stream: tuple[bytes, ...]) -> None:
    again = plain(encode(decode(*stream)))
    events = plain(b"".join(stream))
    usage: dict[str, Any] = {}
    for one in events:  # every event of ours carries what is known so far
        usage = one.setdefault("usageMetadata", usage)
        if not usage:
            del one["usageMetadata"]
    assert again == events
    assert json.loads(encode(decode(*stream), array=True)) == again


ODD = (
    event(candidates=[], promptFeedback={"safetyRatings": [{"category": "x"}]}),
    said(text("a", partMetadata={"k": 1})),
    said({"executableCode": {"code": "print(1)"}}, {"codeExecutionResult": {"output": "1"}}, text("b")),
    said(thought("t"), text("c", thoughtSignature="c2ln"), text("", thoughtSignature="bmV4dA==")),
    said({"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "c2ln"}),
    said({"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "AAAA"}}),
    said({"audioTranscription": {"text": "hm", "finished": True}}),
    said(text("x"), groundingMetadata={"webSearchQueries": ["q"]}, citationMetadata={"citationSources": []}),
    said(call("f", {}, odd=1), {"functionCall": {"name": "g"}}),
    said({**piece(name="h"), "thoughtSignature": "c2ln"}),
    said(piece({"jsonPath": "$.a", "stringValue": "b"}, goes_on=False)),
    said(text("z"), index=1),
    said(text(""), reason="STOP", index=1),
    said(text("e"), reason="STOP", avgLogprobs=-0.25, logprobsResult={"chosenCandidates": [{"token": "e"}]}),
)


def test_everything_odd_comes_back_as_it_was() -> None:
    events = plain(b"".join(ODD))
    del events[0]["candidates"]
    assert plain(encode(decode(*ODD))) == events


def test_media_and_refusals_of_other_protocols(official: Any) -> None:
    chunks: list[Any] = [
        Start(),
        BlockStart(0, "image"),
        ImageDelta(0, b"preview", "image/png", partial=True),
        ImageDelta(0, b"image", "image/png"),
        BlockEnd(0),
        BlockStart(1, "audio"),
        AudioDelta(1, b"\x01\x02", "pcm16", 24000),
        BlockStart(2, "transcript"),
        TranscriptDelta(2, "hm"),
        BlockStart(3, "refusal"),
        RefusalDelta(3, "No."),
        CandidateEnd("stop", "stop"),
        Finish(),
    ]
    parts = [part for one in official(encode(chunks)).stream() for part in one.candidates[0].content.parts]
    assert [(part.inline_data.mime_type, part.inline_data.data) for part in parts if part.inline_data] == [
        ("image/png", b"image"),
        ("audio/pcm;rate=24000", b"\x01\x02"),
    ]
    assert parts[2].audio_transcription.text == "hm"
    assert parts[3].text == "No."
    whole = official(response_body(fold(chunks)), content_type="application/json").whole()
    assert [bool(part.inline_data) for part in whole.candidates[0].content.parts] == [
        False,
        True,
        True,
        False,
    ]


def test_arguments_that_are_no_object_are_said_to_be_malformed(official: Any) -> None:
    chunks: list[Any] = [
        Start(),
        BlockStart(0, "tool-call", "c", "f"),
        ToolCallDelta(0, '{"a":'),
        CandidateEnd("tool_calls"),
        Finish("tool_calls"),
    ]
    for response in (
        official(encode(chunks)).stream()[-1],
        official(response_body(fold(chunks)), content_type="application/json").whole(),
    ):
        assert response.candidates[0].finish_reason.value == "MALFORMED_FUNCTION_CALL"
    for written in (plain(encode(chunks))[-1], json.loads(response_body(fold(chunks)))):
        assert '{"a":' in written["candidates"][0]["finishMessage"]  # the client does not read it
    cut = [*chunks[:3], CandidateEnd("length"), Finish("length")]
    assert plain(encode(cut))[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("begun", [0, 1])
def test_a_failure_is_the_last_event(array: bool, begun: int, official: Any) -> None:
    failure = Failure.of(RateLimited("slow down", retry_after_s=3))
    stream = encode([Start("r", "m"), *[TextDelta(0, "a")] * begun, failure], array=array)
    if array:
        error = json.loads(stream)[-1]["error"]
        assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    else:
        with pytest.raises(errors.APIError, match="slow down") as caught:
            official(stream).stream()
        assert caught.value.code == 429
    last = decode(stream)[-1]
    assert (last.kind, last.retryable, last.detail["retry_after_s"]) == ("rate_limited", True, 3.0)


def test_a_failure_follows_what_has_gone_out() -> None:
    failure = Failure.of(Unavailable("gone", http_status=503))
    for front in (WIRE.front, ARRAY_FRONT):
        assert front is not None
        encoder = front.encoder(Says("r", "m", 0), ParsedRequest(Request("m")))
        begun = b"".join(encoder.feed([Start(), TextDelta(0, "a")]))
        (start, *_, last) = decode(begun + b"".join(encoder.feed([failure])))
        assert (start.id, start.model) == ("r", "m")
        assert (last.kind, last.code) == ("unavailable", "UNAVAILABLE")


@pytest.mark.parametrize(
    "stream",
    [
        event(promptFeedback={"blockReason": "SAFETY", "safetyRatings": [{"category": "x"}]}),
        TEXT[0] + said(reason="MALFORMED_FUNCTION_CALL", finishMessage="bad"),
    ],
    ids=["blocked", "malformed"],
)
def test_what_ends_badly_over_this_wire_does_so_in_its_words(stream: bytes) -> None:
    ended, again = plain(stream)[-1], plain(encode(decode(stream)))[-1]
    assert again.get("promptFeedback") == ended.get("promptFeedback")
    if "candidates" in ended:
        reason = [one["candidates"][0]["finishReason"] for one in (ended, again)]
        assert reason == ["MALFORMED_FUNCTION_CALL"] * 2
    assert decode(encode(decode(stream)))[-1].kind == decode(stream)[-1].kind


def test_an_end_without_a_terminal_or_by_cancelling_is_an_error() -> None:
    assert plain(encode([Start(), TextDelta(0, "a")]))[-1]["error"]["status"] == "INTERNAL"
    last = decode(encode([Start(), Cancelled("enough")]))[-1]
    assert isinstance(last, Failure)
    assert "enough" in last.message
    assert plain(encode([Failure.of(Truncated("cut"))]))[-1]["error"]["message"] == "cut"


def test_every_reason_of_ours_is_a_word_of_theirs(official: Any) -> None:
    words = {"stop": "STOP", "length": "MAX_TOKENS", "stop_sequence": "STOP", "content_filter": "SAFETY"}
    for reason, word in words.items():
        chunks = [Start(), TextDelta(0, "a"), CandidateEnd(reason, "x"), Finish(reason)]  # type: ignore[arg-type]
        assert official(encode(chunks)).stream()[-1].candidates[0].finish_reason.value == word


def test_an_empty_answer_is_still_an_event(official: Any) -> None:
    (only,) = official(encode([Start("r", "m"), Finish("stop")])).stream()
    assert only.candidates[0].finish_reason.value == "STOP"
    assert json.loads(encode([Start("r", "m"), Finish("stop")], array=True))[0]["responseId"] == "r"
