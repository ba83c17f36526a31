"""Answers for scripts of web pages, and answers in gzip; over every carrier."""

from __future__ import annotations

import gzip
import zlib

import pytest
from tests.server.conftest import Carrier
from tests.server.doubles import BEGIN, END, HandModel, Models
from tests.server.raw import chat, connected, request

from headrace.config.door import KeySettings
from headrace.server.cors import Cors
from headrace.server.door import Door
from headrace.server.keys import Keys
from headrace.server.squeeze import takes_gzip
from headrace.simulate.echo import EchoModel

PAGE = "https://app.example"


def with_head(sent: bytes, *lines: str) -> bytes:
    return sent.replace(b"Host: test", "\r\n".join(("Host: test", *lines)).encode())


def test_a_page_that_may_ask_is_told_so_before_it_has_a_key(carrier: Carrier) -> None:
    async def main() -> None:
        keys = Keys({"a": KeySettings(sha256="0" * 64)})
        door = Door(keys=keys, cors=Cors([PAGE]))
        async with carrier.serving(Models(EchoModel()), door=door) as served, connected(served.url) as client:
            asks = (
                f"Origin: {PAGE}",
                "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: authorization,content-type",
            )
            await client.send(request("OPTIONS", "/v1/chat/completions", headers=asks))
            told = await client.response()
            assert told.status == 204
            assert told.headers["access-control-allow-origin"] == PAGE
            assert told.headers["access-control-allow-headers"] == "authorization,content-type"
            assert "POST" in told.headers["access-control-allow-methods"]
            await client.send(with_head(chat(), f"Origin: {PAGE}"))
            refused = await client.response()
            assert refused.status == 401  # which the page can read
            assert refused.headers["access-control-allow-origin"] == PAGE
            assert "x-headrace-stream-id" in refused.headers["access-control-expose-headers"]

    carrier.run(main())


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ([PAGE], "https://evil.example", None),
        ([PAGE], "https://app.example.evil.example", None),
        ([PAGE], "null", None),
        (["*"], "https://any.example", "*"),
        ([], PAGE, None),
    ],
)
def test_other_pages_are_told_nothing(
    direct: Carrier, origins: list[str], origin: str, allowed: str | None
) -> None:
    async def main() -> None:
        door = Door(cors=Cors(origins) if origins else None)
        async with direct.serving(Models(EchoModel()), door=door) as served, connected(served.url) as client:
            asks = (f"Origin: {origin}", "Access-Control-Request-Method: POST")
            await client.send(request("OPTIONS", "/v1/chat/completions", headers=asks))
            told = await client.response()
            assert told.status == (204 if origins else 405)
            assert told.headers.get("access-control-allow-origin") == allowed
            assert ("access-control-allow-methods" in told.headers) is (allowed is not None)
            await client.send(request("GET", "/health", headers=(f"Origin: {origin}",)))
            assert (await client.response()).headers.get("access-control-allow-origin") == allowed

    direct.run(main())


@pytest.mark.parametrize("compress", ["all", "bodies", "off"])
def test_a_stream_is_squeezed_and_each_piece_can_be_read_as_it_comes(carrier: Carrier, compress: str) -> None:
    async def main() -> None:
        model = HandModel()
        door = Door(compress=compress)  # type: ignore[arg-type]
        async with carrier.serving(Models(model), door=door) as served, connected(served.url) as client:
            await client.send(with_head(chat(), "Accept-Encoding: gzip, br"))
            source = await model.source()
            source.push(*BEGIN)
            source.say("first")
            status, headers = await client.head()
            assert status == 200
            assert headers.get("content-encoding") == ("gzip" if compress == "all" else None)
            inflate = zlib.decompressobj(31)
            read = inflate.decompress if compress == "all" else bytes
            seen = read(await client.chunk())
            while b"first" not in seen:
                seen += read(await client.chunk())
            source.say("second")
            while b"second" not in seen:
                seen += read(await client.chunk())
            source.push(*END)
            source.end()
            seen += read(await client.response_body())
            assert seen.endswith(b"data: [DONE]\n\n")
            assert compress != "all" or inflate.eof

    carrier.run(main())


@pytest.mark.parametrize("compress", ["all", "bodies", "off"])
def test_a_large_body_is_squeezed(carrier: Carrier, compress: str) -> None:
    async def main() -> None:
        door = Door(compress=compress)  # type: ignore[arg-type]
        async with carrier.serving(Models(EchoModel()), door=door) as served, connected(served.url) as client:
            for text, accepts in (("water " * 1000, "gzip"), ("short", "gzip"), ("water " * 1000, "br")):
                asked = chat(model="sim/echo", stream=False, text=text)
                await client.send(with_head(asked, f"Accept-Encoding: {accepts}"))
                answer = await client.response()
                squeezed = compress != "off" and accepts == "gzip" and text != "short"
                assert (answer.headers.get("content-encoding") == "gzip") is squeezed
                assert text.encode() in (gzip.decompress(answer.body) if squeezed else answer.body)

    carrier.run(main())


def test_sound_is_left_as_it_is(direct: Carrier) -> None:
    async def main() -> None:
        door = Door(compress="all")
        async with direct.serving(Models(EchoModel()), door=door) as served, connected(served.url) as client:
            body = b'{"model": "sim/echo", "input": "a tone for each word", "voice": "x"}'
            head = ("Accept-Encoding: gzip",)
            await client.send(request("POST", "/v1/audio/speech", body, headers=head))
            answer = await client.response()
            assert answer.status == 200
            assert answer.headers["content-type"].startswith("audio/")
            assert "content-encoding" not in answer.headers

    direct.run(main())


@pytest.mark.parametrize(
    ("accepts", "takes"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("br, gzip ; q=1.0", True),
        ("*", True),
        ("gzip;q=0", False),
        ("*;q=0, gzip", True),
        ("*, gzip;q=0.0", False),
        ("gzip;q=1.1.1", False),
        ("xgzip", False),
        ("identity", False),
        ("", False),
    ],
)
def test_what_the_client_takes(accepts: str, takes: bool) -> None:
    assert takes_gzip({"accept-encoding": accepts}) is takes
