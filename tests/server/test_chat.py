"""The chat endpoints over every carrier: statuses, events, terminals, cancellation, flow control."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models, frames
from tests.server.raw import chat, connected, events, request, text_of, unnumbered

from headrace.core.chunk import (
    AudioDelta,
    BlockStart,
    Cancelled,
    Chunk,
    Failure,
    Finish,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    Token,
    ToolCallDelta,
    VendorPart,
)
from headrace.core.opaque import Opaque
from headrace.errors import (
    AuthError,
    ContextOverflow,
    HeadraceError,
    RateLimited,
    StreamTimeoutException,
    Truncated,
    Unavailable,
)
from headrace.server.limits import Limits
from headrace.simulate.echo import EchoModel


def test_an_answer_streamed(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served, connected(served.url) as client:
            for text in ("hello, world", "naïve 🌊\n\n data: [DONE]"):  # the second on the same connection
                await client.send(chat(model="sim/echo", text=text, stream_options={"include_usage": True}))
                response = await client.response()
                assert response.status == 200
                assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
                assert response.headers["cache-control"] == "no-cache"
                assert response.headers["x-accel-buffering"] == "no"
                assert response.headers["x-request-id"]
                assert text_of(response.body) == text
                assert events(response.body)[-1]["usage"]["completion_tokens"] > 0
            counters = served.app.counters
            assert (counters.answers, counters.finished, sum(counters.ttft_counts)) == (2, 2, 2)
            assert counters.output_tokens > 0

    carrier.run(main())


def test_an_answer_whole(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served, connected(served.url) as client:
            await client.send(chat(model="sim/echo", text="hello", stream=False))
            response = await client.response()
            assert response.status == 200
            assert response.headers["content-type"] == "application/json"
            body = msgspec.json.decode(response.body)
            assert body["object"] == "chat.completion"
            assert body["choices"][0]["message"]["content"] == "hello"
            assert body["choices"][0]["finish_reason"] == "stop"
            assert body["model"] == "sim/echo"

    carrier.run(main())


REFUSED: dict[str, tuple[bytes, int, str | None, str]] = {
    "broken JSON": (request("POST", "/v1/chat/completions", b'{"model": '), 400, None, ""),
    "not UTF-8": (request("POST", "/v1/chat/completions", b'{"model": "\xff"}'), 400, None, ""),
    "no body": (request("POST", "/v1/chat/completions"), 400, None, ""),
    "not an object": (request("POST", "/v1/chat/completions", b"[]"), 400, None, ""),
    "no model": (request("POST", "/v1/chat/completions", b'{"messages": []}'), 400, "model", "model"),
    "messages of a wrong type": (chat(messages="hi"), 400, "messages", "messages"),
    "a role nobody knows": (
        chat(messages=[{"role": "king", "content": "x"}]),
        400,
        "messages.0.role",
        "messages.0.role",
    ),
    "temperature of a wrong type": (chat(temperature="hot"), 400, "temperature", "temperature"),
    "two answers": (chat(n=2), 400, "n", "n"),
    "unknown model": (chat(model="nobody/none"), 404, "model", "nobody/none"),
    "unknown model asked for": (request("GET", "/v1/models/nobody/none"), 404, "model", "nobody/none"),
    "unknown path": (request("POST", "/v1/chat/completion", b"{}"), 404, None, "/v1/chat/completion"),
    "the tree's own path": (request("GET", "/v1/models/"), 404, None, "/v1/models/"),
    "wrong method": (request("GET", "/v1/chat/completions"), 405, None, "GET"),
    "wrong method in a tree": (request("DELETE", "/v1/models/m"), 405, None, "DELETE"),
    "another's preflight": (request("OPTIONS", "/v1/chat/completions"), 405, None, "OPTIONS"),
    "a body too large": (chat(text="x" * 5000), 413, None, "4096"),
}


def test_what_cannot_be_asked_is_refused_in_openai_shape(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(HandModel()), Limits(max_body_bytes=4096)) as served:
            for case, (data, status, param, named) in REFUSED.items():
                async with connected(served.url) as client:
                    await client.send(data)
                    response = await client.response()
                assert (response.status, response.error["param"]) == (status, param), case
                assert response.headers["content-type"] == "application/json", case
                error = response.error
                assert named in error["message"], case
                assert error["type"] == "invalid_request_error", case
                assert error["code"], case
                if status == 404 and param == "model":
                    assert error["code"] == "model_not_found", case
                assert (status == 405) is ("allow" in response.headers), case
            async with connected(served.url) as client:  # and the server lives on
                await client.send(request("GET", "/health"))
                assert (await client.response()).status == 200

    carrier.run(main())


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/v1/v1/messages", "/v1/messages"),
        ("/v1/chat/completion", "/v1/chat/completions"),
        ("/v1/embeddings", ""),
        ("/nothing/like/it", ""),
        ("/" + "x" * 5000, ""),
    ],
)
def test_a_path_nearly_right_is_told_the_right_one(carrier: Carrier, path: str, meant: str) -> None:
    async def main() -> None:
        async with carrier.serving(Models(HandModel())) as served, connected(served.url) as client:
            await client.send(request("POST", path, b"{}"))
            said = (await client.response()).error["message"]
            shown = path if len(path) <= 200 else path[:200] + "..."
            assert said == f"nothing is served at {shown}" + (f": did you mean {meant}?" if meant else "")

    carrier.run(main())


def test_models_are_listed_and_found_by_id_and_alias(carrier: Carrier) -> None:
    async def main() -> None:
        runtime = Models(EchoModel(), HandModel())
        async with carrier.serving(runtime) as served, connected(served.url) as client:
            await client.send(request("GET", "/v1/models"))
            listed = msgspec.json.decode((await client.response()).body)
            assert listed["object"] == "list"
            assert [card["id"] for card in listed["data"]] == ["sim/echo", "m"]
            for path, id in (("sim/echo", "sim/echo"), ("sim%2Fecho", "sim/echo"), ("other", "m")):
                await client.send(request("GET", f"/v1/models/{path}"))
                card = msgspec.json.decode((await client.response()).body)
                assert (card["id"], card["object"]) == (id, "model")
                assert isinstance(card["owned_by"], str)
                assert isinstance(card["created"], int)

    carrier.run(main())


def test_health(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models(EchoModel())) as served, connected(served.url) as client:
            await client.send(request("GET", "/health"))
            body = msgspec.json.decode((await client.response()).body)
            assert (body["status"], body["models"], body["live"]) == ("ok", ["sim/echo"], 0)
            assert (body["streams"], body["readers"], body["log_bytes"], body["waiting"]) == (0, 0, 0, 0)
            assert 0 <= body["tasks"] - len(asyncio.all_tasks()) <= 1  # under ASGI the request had one
            assert body["version"]
            await client.send(request("HEAD", "/health"))
            response = await client.response(head_only=True)
            assert response.status == 200
            assert int(response.headers["content-length"]) > 0

    carrier.run(main())


def test_a_model_in_trouble_degrades_the_health_and_is_named(carrier: Carrier) -> None:
    async def main() -> None:
        models = Models(EchoModel())
        models.trouble["sim/echo"] = "it does not answer"
        async with carrier.serving(models) as served, connected(served.url) as client:
            await client.send(request("GET", "/health"))
            response = await client.response()
            body = msgspec.json.decode(response.body)
            assert (response.status, body["status"]) == (200, "degraded")
            assert body["troubles"] == {"sim/echo": "it does not answer"}

    carrier.run(main())


def test_the_clients_request_id_comes_back_where_it_is_sane(carrier: Carrier) -> None:
    async def main() -> None:
        async with carrier.serving(Models()) as served, connected(served.url) as client:
            for given, kept in (("abc-123", True), ("a b", False), ("x" * 129, False)):
                await client.send(request("GET", "/health", headers=(f"X-Request-Id: {given}",)))
                back = (await client.response()).headers["x-request-id"]
                assert (back == given) is kept
                assert back

    carrier.run(main())


def test_warnings_are_told_in_a_header_that_holds_anything(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel(warnings=["größe\r\nx: y", "w" * 5000])
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            for stream in (True, False):
                await client.send(chat(stream=stream))
                source = await model.source()
                source.push(*BEGIN, TextDelta(0, "x"), *END)
                source.end()
                warning = (await client.response()).headers["x-headrace-warnings"]
                assert warning.startswith("gr%C3%B6%C3%9Fe%0D%0Ax: y; www")
                assert len(warning) == 2048

    carrier.run(main())


FAILURES: dict[str, tuple[HeadraceError, int, str]] = {
    "context overflow": (ContextOverflow("9000 tokens are too many"), 400, "context_length_exceeded"),
    "auth": (AuthError("bad key", provider="up"), 401, "auth"),
    "rate limit": (RateLimited("slow down", retry_after_s=1.2), 429, "rate_limited"),
    "unavailable": (Unavailable("refused", code="connect_refused"), 502, "connect_refused"),
    "timeout": (StreamTimeoutException("no first token", code="first_token"), 504, "first_token"),
    "truncated": (Truncated("cut"), 502, "truncated"),
}


@pytest.mark.parametrize("how", ["open", "stream", "whole", "relay"])
def test_a_failure_before_the_first_byte_is_a_status(carrier: Carrier, how: str) -> None:
    async def main() -> None:
        model = HandModel(relays=how == "relay")
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            for case, (error, status, code) in FAILURES.items():
                model.error = error if how == "open" else None
                await client.send(chat(stream=how != "whole"))
                if how != "open":
                    source = await model.source()
                    if how != "relay":
                        source.push(BEGIN[0])  # the provider took the request: no content yet
                    source.end(Failure.of(error))
                response = await client.response()
                assert response.status == status, case
                assert (response.error["code"], response.error["message"]) == (code, error.message)
                assert response.headers.get("retry-after") == ("2" if case == "rate limit" else None)

    carrier.run(main())


@pytest.mark.parametrize("relays", [False, True])
def test_a_failure_after_the_first_byte_is_an_error_event_and_a_proper_end(
    carrier: Carrier, relays: bool
) -> None:
    async def main() -> None:
        model = HandModel(relays=relays)
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            for case, (error, _, code) in FAILURES.items():  # all on one connection: it stays whole
                await client.send(chat())
                source = await model.source()
                source.push(*([frames("hi", done=False)] if relays else [*BEGIN, TextDelta(0, "hi")]))
                assert (await client.head())[0] == 200
                source.end(Failure.of(error))
                told = events(await client.response_body())
                assert told[-1]["error"]["code"] == code, case
                assert sum("error" in event for event in told) == 1, case
            assert (served.app.counters.failed, served.app.counters.finished) == (len(FAILURES), 0)

    carrier.run(main())


def test_a_source_that_says_nothing_is_no_success(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            for stream in (True, False):
                await client.send(chat(stream=stream))
                source = await model.source()
                source.push(BEGIN[0])
                source.end(Finish())
                response = await client.response()
                assert response.status == 502
                assert response.error["code"] in ("truncated", "empty_response")

    carrier.run(main())


def test_a_source_cancelled_by_another_hand_is_told_to_the_client(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            for stream in (True, False):
                await client.send(chat(stream=stream))
                (await model.source()).end(Cancelled("stopped by the operator"))
                response = await client.response()
                assert response.status == 503
                assert response.error["message"] == "stopped by the operator"

    carrier.run(main())


RELAYED = {
    "good": (frames("a", "b"), 200, None),
    "without [DONE]": (frames("a", "b").removesuffix(b"data: [DONE]\n\n"), 200, None),
    "cut": (frames("a", "b", done=False), 200, "truncated"),
    "cut in an event": (frames("a", "b", done=False)[:-9], 200, "truncated"),
    "garbled": (frames("a", done=False) + b"data: {]\n\n", 200, "wire"),
    "garbled at once": (b"data: {]\n\n", 502, "wire"),
    "an error inside": (
        frames("a", done=False) + b'data: {"error":{"message":"over","code":"overloaded"}}\n\n',
        200,
        "overloaded",
    ),
    "an error at once": (b'data: {"error":{"message":"over","code":"overloaded"}}\n\n', 502, "overloaded"),
    "nothing": (b"", 502, "truncated"),
}


@pytest.mark.parametrize("step_bytes", [1, 40, 10_000])
def test_relayed_bytes_pass_unchanged_and_what_is_wrong_is_told(carrier: Carrier, step_bytes: int) -> None:
    async def main() -> None:
        model = HandModel(relays=True)
        async with carrier.serving(Models(model)) as served, connected(served.url) as client:
            for case, (data, status, code) in RELAYED.items():
                await client.send(chat())
                source = await model.source()
                for at in range(0, len(data), step_bytes):
                    source.push(data[at : at + step_bytes])
                source.end(Finish())
                response = await client.response()
                assert response.status == status, case
                if status != 200:
                    assert response.error["code"] == code, case
                elif code is None:
                    assert unnumbered(response.body) == frames("a", "b"), case
                else:
                    assert events(response.body)[-1]["error"]["code"] == code, case
            counters = served.app.counters
            failed = sum(code is not None for _, _, code in RELAYED.values())
            assert (counters.relayed, counters.failed) == (len(RELAYED), failed)

    carrier.run(main())


BIG = "é" * 3000  # 6,000 bytes
TOO_LARGE: dict[str, list[list[Chunk]]] = {
    "text, many pieces": [[TextDelta(0, "x" * 100)] for _ in range(60)],
    "text, one piece": [[TextDelta(0, BIG)]],
    "text, one batch": [[TextDelta(0, "x" * 1000)] * 6],
    "reasoning": [[ReasoningDelta(0, BIG)]],
    "refusal": [[RefusalDelta(0, BIG)]],
    "arguments": [[ToolCallDelta(0, BIG)]],
    "sound": [[AudioDelta(0, b"x" * 6000)]],
    "tokens": [[TextDelta(0, "x", (Token("x", top=(Token("y" * 100),) * 20),))] for _ in range(3)],
    "a vendor's parts": [[VendorPart(Opaque("openai_chat", {"x": "y" * 1000}))] for _ in range(6)],
    "empty pieces": [[TextDelta(0, "")] for _ in range(200)],
    "blocks": [[BlockStart(n, "text")] for n in range(1, 200)],
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_an_answer_that_is_gathered_is_bounded(carrier: Carrier, case: str) -> None:
    async def main() -> None:
        model = HandModel()
        limits = Limits(max_reply_bytes=5000, drain_s=2)
        async with carrier.serving(Models(model), limits) as served, connected(served.url) as client:
            await client.send(chat(stream=False))
            source = await model.source()
            source.push(*BEGIN)
            for batch in TOO_LARGE[case]:
                source.push(*batch)
            response = await client.response()
            assert (response.status, response.error["code"]) == (502, "reply_too_large")
            assert "max_reply_bytes" in response.error["message"]
            assert "5000" in response.error["message"]
            assert source.was_cancelled.is_set()
            assert (served.app.counters.failed, served.app.counters.cancelled) == (1, 0)
            await client.send(chat(stream=False))  # the connection lives, and what fits is answered
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, "x" * 4000), *END)
            source.end()
            assert (await client.response()).status == 200

    carrier.run(main())


def test_an_answer_that_is_streamed_has_no_such_bound(carrier: Carrier) -> None:
    async def main() -> None:
        model = HandModel()
        async with (
            carrier.serving(Models(model), Limits(max_reply_bytes=5000, drain_s=2)) as served,
            connected(served.url) as client,
        ):
            await client.send(chat())
            source = await model.source()
            source.push(*BEGIN, TextDelta(0, BIG), *END)
            source.end()
            assert text_of((await client.response()).body) == BIG

    carrier.run(main())
