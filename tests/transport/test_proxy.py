"""Requests through a proxy: the environment's rules, and the same Receiver behind aiohttp."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys

import pytest

from headrace.errors import RequestError
from headrace.testing.loopback import Peer, loopback
from headrace.testing.recorder import Recorder
from headrace.transport.environment import ProxyRules
from headrace.transport.http import HttpRequest
from headrace.transport.pool import HttpPool
from headrace.transport.url import parse_url

VARIABLES = [
    f"{name}_PROXY" if upper else f"{name.lower()}_proxy"
    for name in ("HTTP", "HTTPS", "ALL", "NO")
    for upper in (1, 0)
]
FAR = "http://far.example/v1/x"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)


RULES = [
    ({}, FAR, ""),
    ({"HTTP_PROXY": "http://p:1"}, FAR, "http://p:1"),
    ({"http_proxy": "p:1"}, FAR, "http://p:1"),
    ({"HTTPS_PROXY": "http://p:1"}, FAR, ""),
    ({"HTTPS_PROXY": "http://p:1"}, "https://far.example/", "http://p:1"),
    ({"ALL_PROXY": "http://p:1"}, "https://far.example/", "http://p:1"),
    ({"ALL_PROXY": "http://a:1", "HTTP_PROXY": "http://p:1"}, FAR, "http://p:1"),
    ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "*"}, FAR, ""),
    ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "other, .example"}, FAR, ""),
    ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "far.example:80"}, FAR, ""),
    ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "ar.example"}, FAR, "http://p:1"),
    ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:8000/", ""),
    ({"HTTP_PROXY": "http://p:1"}, "http://[::1]:8000/", ""),
    ({"HTTP_PROXY": "http://p:1"}, "http://localhost:8000/", ""),
    ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, FAR, ""),
]


@pytest.mark.parametrize(("environment", "url", "proxy"), RULES)
def test_rules(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ProxyRules().proxy_for(parse_url(url)) == proxy


def test_a_socks_proxy_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:secret@p:1")
    with pytest.raises(RequestError, match="socks5") as caught:
        ProxyRules().proxy_for(parse_url(FAR))
    assert "secret" not in str(caught.value)


def through(monkeypatch: pytest.MonkeyPatch, script, use, variable: str = "HTTP_PROXY") -> None:
    """Run `use(pool, proxy)` with a proxy that plays `script`."""
    pytest.importorskip("aiohttp")

    async def main() -> None:
        async with loopback(script) as proxy:
            monkeypatch.setenv(variable, f"http://user:secret@127.0.0.1:{proxy.port}")
            async with HttpPool() as pool:
                await asyncio.wait_for(use(pool, proxy), 20)
                await asyncio.sleep(0)
                assert pool.connections == 0

    asyncio.run(main())


def ask(pool: HttpPool, url: str = FAR) -> Recorder:
    recorder = Recorder()
    recorder.call = pool.send(HttpRequest("POST", url, {"x-a": "b"}, b"{}"), recorder)
    return recorder


def test_a_stream_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nX-B: 1\r\nx-b: 2\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.drip(b"2\r\nhi\r\n3\r\nyou\r\n0\r\n\r\n")

    async def use(pool: HttpPool, proxy) -> None:
        recorder = ask(pool)
        await recorder.end()
        assert recorder.ends == [None]
        assert recorder.body == b"hiyou"
        assert recorder.headers["x-b"] == "1, 2"
        head, body = proxy.requests[0]
        assert head.startswith(b"POST http://far.example/v1/x HTTP/1.1\r\n")
        assert b"roxy-" in head  # proxy-authorization, from the proxy's own address
        assert b"accept-encoding: identity" in head.lower()
        assert body == b"{}"

    through(monkeypatch, script, use)


def test_coded_bodies_are_decoded_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = gzip.compress(b"hello")

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded))
        peer.write(coded)

    async def use(pool: HttpPool, proxy) -> None:
        recorder = ask(pool)
        await recorder.end()
        assert recorder.body == b"hello"

    through(monkeypatch, script, use)


FAULTS = {
    "closed": (b"", "unavailable", "reset"),
    "not HTTP": (b"<html>\r\n\r\n", "wire", "http"),
    "cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "truncated", "truncated"),
    "coding": (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nhi", "wire", "content_encoding"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_have_the_same_types_as_without_a_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    raw, kind, code = FAULTS[name]

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(raw)

    async def use(pool: HttpPool, proxy) -> None:
        recorder = ask(pool)
        await recorder.end()
        assert (recorder.failure.kind, recorder.failure.code) == (kind, code)
        assert "secret" not in repr(recorder.failure)

    through(monkeypatch, script, use)


def test_a_proxy_that_refuses_the_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    async def use(pool: HttpPool, proxy) -> None:
        recorder = ask(pool, "https://far.example/")
        await recorder.end()
        assert (recorder.failure.kind, recorder.failure.code) == ("unavailable", "proxy")
        assert "407" in recorder.failure.message
        assert "secret" not in repr(recorder.failure)

    through(monkeypatch, script, use, "HTTPS_PROXY")


def test_cancel_and_pause(monkeypatch: pytest.MonkeyPatch) -> None:

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
        await peer.gone()

    async def use(pool: HttpPool, proxy) -> None:
        recorder = ask(pool)
        await recorder.fed.wait()
        recorder.call.pause()  # type: ignore[union-attr]
        recorder.call.resume()  # type: ignore[union-attr]
        recorder.call.cancel()  # type: ignore[union-attr]
        await proxy.peers[0].closed.wait()
        assert not recorder.ends

    through(monkeypatch, script, use)


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = """
import asyncio, os, sys
sys.modules["aiohttp"] = None
os.environ["HTTP_PROXY"] = "http://p:1"
from headrace.errors import RequestError
from headrace.transport.http import HttpRequest
from headrace.transport.pool import HttpPool
async def main():
    async with HttpPool() as pool:
        try:
            pool.send(HttpRequest("GET", "http://far.example/"), None)
        except RequestError as error:
            print(error.code, error)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("proxy_extra_missing")
    assert "pip install 'headrace[proxy]'" in done.stdout
