"""Requests through an HTTP proxy, by aiohttp, behind the same `send`.

A task runs for each exchange: behind a proxy convenience weighs more than microseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from headrace.core.chunk import Failure
from headrace.errors import RequestError
from headrace.transport.failures import (
    BadResponse,
    connect_timeout,
    cut,
    dial_failure,
    not_http,
    unanswered,
    unavailable,
)
from headrace.transport.http import HttpRequest, Receiver
from headrace.transport.inflate import Inflater
from headrace.transport.tls import tls_context
from headrace.transport.url import Url

try:
    import aiohttp
except ImportError as error:
    raise RequestError(
        "the environment asks for a proxy (HTTPS_PROXY, HTTP_PROXY or ALL_PROXY), which needs the extra:"
        " pip install 'headrace[proxy]'",
        field="proxy",
        code="proxy_extra_missing",
    ) from error


class ProxySender:
    """One aiohttp session for all exchanges that go through proxies."""

    def __init__(self, *, max_head_bytes: int) -> None:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            trust_env=False,
            connector=aiohttp.TCPConnector(limit=0),
            max_field_size=max_head_bytes,
            max_line_size=max_head_bytes,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._calls: set[ProxyCall] = set()

    def __len__(self) -> int:
        return len(self._calls)

    def send(
        self, request: HttpRequest, url: Url, proxy: str, receiver: Receiver, connect_s: float
    ) -> ProxyCall:
        """Start one exchange through `proxy`."""
        call = ProxyCall(self._session, request, url, proxy, receiver, connect_s)
        self._calls.add(call)
        call.task.add_done_callback(lambda _: self._calls.discard(call))
        return call

    async def aclose(self) -> None:
        """End every exchange, telling its receiver, and close the session."""
        for call in list(self._calls):
            call.hang_up()
        await self._session.close()


class ProxyCall:
    """One exchange through a proxy."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        request: HttpRequest,
        url: Url,
        proxy: str,
        receiver: Receiver,
        connect_s: float,
    ) -> None:
        self._session = session
        self._receiver: Receiver | None = receiver
        self._where = f"{url.host}:{url.port}"
        self._proxy = proxy
        self._connect_s = connect_s
        self._answered = False
        self._reading = asyncio.Event()
        self._reading.set()
        self.task = asyncio.get_running_loop().create_task(self._run(request))

    def pause(self) -> None:
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    def cancel(self) -> None:
        self._receiver = None
        self.task.cancel()

    def hang_up(self) -> None:
        """End it and tell the receiver."""
        receiver, self._receiver = self._receiver, None
        self.task.cancel()
        if receiver is not None:
            receiver.lost(unavailable("closed", "the connection pool was closed"))

    async def _run(self, request: HttpRequest) -> None:
        try:
            await self._exchange(request)
        except BadResponse as bad:
            failure: Failure | None = not_http(self._where, bad)
        except (OSError, aiohttp.ClientError) as error:
            failure = self._failure(error)
        else:
            failure = None
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        if failure is None:
            receiver.done()
        else:
            receiver.lost(failure)

    async def _exchange(self, request: HttpRequest) -> None:
        headers = {"accept-encoding": "identity", **{k.lower(): v for k, v in request.headers.items()}}
        await self._reading.wait()
        async with self._session.request(
            request.method,
            request.url,
            data=request.body or None,
            headers=headers,
            proxy=self._proxy,
            ssl=tls_context(request.ca_file),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_s),
        ) as response:
            fields = _joined(response.headers)
            inflater = Inflater.for_coding(fields.pop("content-encoding", ""))
            self._answered = True
            if self._receiver is not None:
                self._receiver.head(response.status, fields)
            async for data in response.content.iter_any():
                self._give(data if inflater is None else inflater.feed(data))
                await self._reading.wait()
            if inflater is not None and not inflater.ended:
                raise aiohttp.ClientPayloadError("the coded body is not whole")

    def _give(self, data: bytes) -> None:
        if data and self._receiver is not None:
            self._receiver.data(data)

    def _failure(self, error: Exception) -> Failure:
        by = urlsplit(self._proxy)
        proxy = f"the proxy {by.hostname}:{by.port}"
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return unavailable("proxy", f"{proxy} answered {error.status} for {self._where}")
        if isinstance(error, aiohttp.ClientProxyConnectionError):
            return unavailable("proxy", f"{proxy} cannot be reached")
        if self._answered:
            return cut(self._where, error if isinstance(error, OSError) else None)
        if isinstance(error, TimeoutError):
            return connect_timeout(self._where, self._connect_s)
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return dial_failure(self._where, error.certificate_error, self._connect_s)
        if isinstance(error, aiohttp.ClientConnectorError):
            return dial_failure(self._where, error.os_error, self._connect_s)
        if isinstance(error, aiohttp.ClientResponseError):
            return not_http(self._where, BadResponse("it cannot be parsed"))
        return unanswered(self._where, error if isinstance(error, OSError) else None)


def _joined(headers: Any) -> dict[str, str]:
    fields: dict[str, str] = {}
    pairs: Mapping[str, str] = headers
    for name, value in pairs.items():
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields
