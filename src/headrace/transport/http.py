"""What an HTTP exchange is to the rest of the house: a request goes out, a receiver is called back.

The stream path lives on callbacks: no task, queue or coroutine exists while a body is awaited. Whoever can
`send` is a `Sender`: the pool of real connections (`pool.HttpPool`), the way through a proxy
(`proxy.ProxySender`), and the scripted double for tests (`fake.FakeSender`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from headrace.core.chunk import Failure
from headrace.transport.wheel import Wheel

CONNECT_S = 30.0


class HttpRequest(msgspec.Struct, frozen=True):
    """One request. url: absolute, http or https. headers: without host, content-length and the like.

    ca_file: PEM file of the only authorities to trust for this request; empty: the system's (which honours
    SSL_CERT_FILE and SSL_CERT_DIR).
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    ca_file: str = ""

    def __repr__(self) -> str:
        # Headers hold keys and bodies hold prompts: neither belongs into a log.
        return f"HttpRequest({self.method} {self.url.partition('?')[0]}, {len(self.body)} body bytes)"


class Receiver(Protocol):
    """Who is called back, on the loop's thread. Must neither block nor raise.

    `head` once, `data` any number of times, then exactly one of `done` and `lost`; `lost` may come at any
    time before the end, also before `head`. Nothing comes from inside `send`, and nothing after `cancel`.
    """

    def head(self, status: int, headers: Mapping[str, str], /) -> None:
        """The final response's head (1xx are swallowed). Names in lower case, repeated fields joined."""

    def data(self, data: bytes, /) -> None:
        """Body bytes, decoded of transfer and content coding; one call a socket read, never empty."""

    def done(self) -> None:
        """The body ended as HTTP says."""

    def lost(self, failure: Failure, /) -> None:
        """No (complete) response.

        kind, code: unavailable with connect_refused, dns, tls, unreachable, reset or pool_full; timeout with
        connect; truncated where the body was cut (code reset for an RST); wire where it is not HTTP.
        """


class Call(Protocol):
    """One exchange under way. All three work in every state, also after the end (then they do nothing)."""

    def pause(self) -> None:
        """Stop reading from the socket; at most what has been read already still comes."""

    def resume(self) -> None:
        """Read again."""

    def cancel(self) -> None:
        """Close the socket now (HTTP/1.1 cannot reuse it) and call nobody back."""


class Sender(Protocol):
    """Where requests go. `wheel` is the loop's clock for deadlines that concern these exchanges."""

    @property
    def wheel(self) -> Wheel: ...

    def send(self, request: HttpRequest, receiver: Receiver, *, connect_s: float = CONNECT_S) -> Call:
        """Start one exchange, inside the running loop.

        connect_s: for a free connection, name lookup, TCP and TLS together.
        Raises: RequestError for a request that cannot be written (bad URL, header with a line break).
        """
