"""Requests of the official client: read, understood, and written again as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import types

from headrace.core.message import (
    AudioPart,
    FilePart,
    ImagePart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from headrace.core.request import Speech, ToolChoice
from headrace.errors import RequestError
from headrace.wire.gemini import WIRE, parse_request
from headrace.wire.gemini.body import RequestBody, spelled

MODEL = {"model": "gemini-x"}


def ask(official: Any, contents: Any, **config: Any) -> tuple[bytes, str]:
    """(body, path) of what the official client asks."""
    far = official(b'{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}')
    wanted = types.GenerateContentConfig(**config) if config else None
    far.client.models.generate_content(model="gemini-x", contents=contents, config=wanted)
    return far.asked[-1].content, far.asked[-1].url.path


def parse(body: Any, **path: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_request(data, {**MODEL, **path})


def meant(body: bytes) -> Any:
    """What was asked, in one spelling: the client itself mixes both, and says what goes without saying."""
    asked = spelled(json.loads(body), RequestBody)
    asked.get("systemInstruction", {}).pop("role", None)
    return {name: value for name, value in asked.items() if value != {}}


def again(body: bytes) -> Any:
    """The request, built for the same protocol."""
    built = WIRE.build(parse(body).request, {})
    assert built.warnings == ()
    return json.loads(built.body)


HISTORY = [
    types.Content(
        role="user",
        parts=[types.Part(text="What is it?"), types.Part.from_bytes(data=b"\x01", mime_type="image/png")],
    ),
    types.Content(
        role="model",
        parts=[
            types.Part(text="hm", thought=True, thought_signature=b"sig"),
            types.Part(text="One moment."),
            types.Part(
                function_call=types.FunctionCall(name="look", args={"at": 1}), thought_signature=b"sig2"
            ),
            types.Part(function_call=types.FunctionCall(name="look", args={"at": 2})),
        ],
    ),
    types.Content(
        role="user",
        parts=[
            types.Part(function_response=types.FunctionResponse(name="look", response={"output": "a cat"})),
            types.Part(function_response=types.FunctionResponse(name="look", response={"x": 1})),
        ],
    ),
    types.Content(
        role="user",
        parts=[
            types.Part.from_uri(file_uri="gs://b/a.pdf", mime_type="application/pdf"),
            types.Part.from_bytes(data=b"\x02\x03", mime_type="audio/wav"),
            types.Part(text="And this?"),
        ],
    ),
]


def test_a_conversation_of_the_official_client(official: Any) -> None:
    body, path = ask(official, HISTORY, system_instruction="Be brief.")
    assert path.endswith("/models/gemini-x:generateContent")
    parsed = parse(body, method="generateContent")
    assert not parsed.stream
    assert parsed.warnings == ()
    instruction, first, answer, results, last = parsed.request.messages
    assert (instruction.role, instruction.text) == ("system", "Be brief.")
    assert first.parts[1] == ImagePart("", b"\x01", "image/png", vendor=first.parts[1].vendor)
    thoughts, spoken, one, two = answer.parts
    assert isinstance(thoughts, ReasoningPart)
    assert isinstance(spoken, TextPart)
    assert isinstance(one, ToolCallPart)
    assert (one.id, one.arguments, two.id, two.arguments) == ("look", '{"at":1}', "look_1", '{"at":2}')
    assert results.role == "tool"
    assert [(part.id, part.text) for part in results.parts] == [("look", "a cat"), ("look_1", '{"x":1}')]
    document, sound, question = last.parts
    assert isinstance(document, FilePart)
    assert isinstance(sound, AudioPart)
    assert (document.url, sound.data, sound.format) == ("gs://b/a.pdf", b"\x02\x03", "wav")
    assert question.text == "And this?"
    assert again(body) == meant(body)


def test_settings_tools_and_schemas_of_the_official_client(official: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    function = types.FunctionDeclaration(name="look", description="Look.", parameters_json_schema=schema)
    body, _ = ask(
        official,
        "hi",
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        candidate_count=2,
        max_output_tokens=99,
        stop_sequences=["END"],
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=-0.1,
        response_logprobs=True,
        logprobs=3,
        response_mime_type="application/json",
        response_json_schema=schema,
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="LOW"),
        tools=[types.Tool(function_declarations=[function])],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode="ANY", allowed_function_names=["look"])
        ),
    )
    request = parse(body).request
    settings = request.settings
    assert (settings.temperature, settings.top_p, settings.top_k, settings.n) == (0.5, 0.9, 40, 2)
    assert (settings.max_tokens, settings.stop, settings.seed) == (99, ("END",), 7)
    assert (settings.presence_penalty, settings.frequency_penalty) == (0.1, -0.1)
    assert (settings.logprobs, settings.top_logprobs, settings.reasoning_effort) == (True, 3, "low")
    assert (request.response_format.kind, request.response_format.schema) == ("json_schema", schema)
    (tool,) = request.tools
    assert (tool.name, tool.description, tool.parameters) == ("look", "Look.", schema)
    assert request.tool_choice == ToolChoice("tool", "look")
    assert again(body) == meant(body)


def test_the_vendors_own_tools_and_settings_go_to_the_vendor_alone(official: Any) -> None:
    body, _ = ask(
        official,
        "hi",
        tools=[types.Tool(google_search=types.GoogleSearch()), types.Tool(url_context=types.UrlContext())],
        safety_settings=[types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")],
        response_modalities=["TEXT", "IMAGE"],
        cached_content="cachedContents/1",
    )
    parsed = parse(body)
    assert parsed.request.tools == ()
    assert parsed.request.modalities == ("text", "image")
    told = " ".join(parsed.warnings)
    for name in ("googleSearch", "urlContext", "safetySettings", "cachedContent"):
        assert name in told
    assert again(body) == meant(body)


def test_sound_asked_for(official: Any) -> None:
    voice = types.PrebuiltVoiceConfig(voice_name="Kore")
    speech = types.SpeechConfig(voice_config=types.VoiceConfig(prebuilt_voice_config=voice))
    body, _ = ask(official, "hi", response_modalities=["AUDIO"], speech_config=speech)
    parsed = parse(body)
    assert (parsed.request.modalities, parsed.request.speech) == (("audio",), Speech("Kore"))
    assert parsed.warnings == ()
    assert again(body) == meant(body)
    spoken = types.SpeechConfig(language_code="de-DE", voice_config=speech.voice_config)
    body, _ = ask(official, "hi", response_modalities=["AUDIO", "SMELL"], speech_config=spoken)
    assert "speechConfig" in parse(body).warnings[0]
    assert again(body) == meant(body)
    body, _ = ask(official, "hi", speech_config=speech)
    assert parse(body).request.speech is None
    assert again(body) == meant(body)


def test_a_schema_in_the_vendors_dialect_is_json_schema_to_others(official: Any) -> None:
    given = types.Schema(
        type="OBJECT",
        properties={
            "a": types.Schema(type="ARRAY", items=types.Schema(type="STRING", nullable=True), min_items=1)
        },
    )
    body, _ = ask(
        official,
        "hi",
        response_mime_type="application/json",
        response_schema=given,
        tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="f", parameters=given)])],
    )
    request = parse(body).request
    items = {"type": ["string", "null"]}
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": items, "minItems": 1}}}
    assert request.tools[0].parameters == schema
    assert request.response_format.schema == schema
    assert again(body) == meant(body)


def test_both_spellings() -> None:
    snake = {
        "contents": [{"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "AQ"}}]}],
        "system_instruction": {"parts": [{"text": "x"}]},
        "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_budget": 1000}},
        "tools": [{"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "tool_config": {"function_calling_config": {"mode": "any"}},
    }
    request = parse(snake).request
    assert request.messages[0].text == "x"
    assert request.messages[1].parts[0].data == b"\x01"
    assert (request.settings.max_tokens, request.settings.reasoning_budget_tokens) == (5, 1000)
    assert request.tools[0].parameters == {"type": "object"}
    assert request.tool_choice == ToolChoice("required")


def test_parts_of_the_vendors_own_kinds_go_back_to_it() -> None:
    code = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"}
    body = {"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [code]}]}
    parsed = parse(body)
    assert "executableCode" in " ".join(parsed.warnings)
    assert json.loads(WIRE.build(parsed.request, {}).body) == body


TURN = {"role": "user", "parts": [{"text": "a"}]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", ""),
        (b"[]", ""),
        ({}, "contents"),
        ({"contents": []}, "contents"),
        ({"contents": [{"role": "wizard", "parts": [{"text": "a"}]}]}, "contents.0.role"),
        ({"contents": [{"role": "user", "parts": []}]}, "contents.0.parts"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents.0.parts.0.text"),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "*"}}]}]},
            "contents.0.parts.0.inlineData.data",
        ),
        (
            {"contents": [{"parts": [{"inlineData": {"data": "AA"}}]}]},
            "contents.0.parts.0.inlineData.mimeType",
        ),
        (
            {"contents": [TURN], "generationConfig": {"temperature": 9}},
            "generationConfig.temperature",
        ),
        (
            {"contents": [TURN], "generation_config": {"max_output_tokens": 0}},
            "generationConfig.maxOutputTokens",
        ),
        (
            {"contents": [TURN], "generationConfig": {"stopSequences": [""]}},
            "generationConfig.stopSequences",
        ),
        (
            {"contents": [TURN], "toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}}},
            "toolConfig.functionCallingConfig.mode",
        ),
        (
            {
                "contents": [TURN],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
            },
            "toolConfig.functionCallingConfig.allowedFunctionNames",
        ),
    ],
)
def test_mistakes_name_the_field(body: Any, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(body)
    assert caught.value.field == field


def test_the_path_says_the_model_and_how_to_answer() -> None:
    assert parse({"contents": [TURN]}, model="models/gemini-y").request.model == "gemini-y"
    assert parse({"contents": [TURN]}).stream
    with pytest.raises(RequestError, match="model"):
        parse({"contents": [TURN]}, model="")
