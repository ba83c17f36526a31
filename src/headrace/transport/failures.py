"""What can go wrong between two sockets, as typed failures. Messages name the host, never path or headers."""

from __future__ import annotations

import socket
import ssl

from headrace.core.chunk import Failure
from headrace.errors import ConfigError, StreamTimeoutException, Truncated, Unavailable, WireError


class BadResponse(Exception):
    """Why a response is not taken. code: the failure's."""

    def __init__(self, why: str, code: str = "http") -> None:
        super().__init__(why)
        self.why = why
        self.code = code


class HandshakeFailed(OSError):
    """TCP stood, and the far end hung up during the TLS handshake."""


class BadCaFile(OSError):
    """The file of authorities cannot be used."""


def unavailable(code: str, message: str) -> Failure:
    """The far end cannot be reached or used right now."""
    return Failure.of(Unavailable(message, code=code))


def connect_timeout(where: str, seconds: float) -> Failure:
    """The connect clock ran out: name lookup, TCP and TLS together took too long."""
    return Failure.of(
        StreamTimeoutException(f"no connection to {where} within {seconds:g} s", code="connect")
    )


def not_http(where: str, bad: BadResponse) -> Failure:
    """What came is not an HTTP response that we take."""
    return Failure.of(WireError(f"{where} sent a bad HTTP response: {bad.why}", code=bad.code))


def cut(where: str, error: Exception | None) -> Failure:
    """The connection ended inside a body."""
    how = "was reset" if error is not None else "ended"
    code = "reset" if error is not None else ""
    return Failure.of(
        Truncated(f"the connection to {where} {how} before the response was complete", code=code)
    )


def unanswered(where: str, error: Exception | None) -> Failure:
    """The connection ended before the response's head was complete."""
    how = "reset" if error is not None else "closed"
    return unavailable("reset", f"{where} {how} the connection before it answered")


def dial_failure(where: str, error: BaseException, connect_s: float) -> Failure:
    """Why no connection came about."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return unavailable("dns", f"the name of {where} cannot be resolved")
    if isinstance(error, BadCaFile):
        return Failure.of(ConfigError(str(error), code="ca_file", field="ca_file"))
    if isinstance(error, ssl.SSLCertVerificationError):
        return unavailable("tls", f"the certificate of {where} is not trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError | HandshakeFailed):
        return unavailable("tls", f"no TLS with {where}: {getattr(error, 'reason', None) or error}")
    if isinstance(error, TimeoutError):
        return connect_timeout(where, connect_s)
    if isinstance(error, ConnectionRefusedError):
        return unavailable("connect_refused", f"{where} refused the connection")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return unavailable("unreachable", f"{where} cannot be reached: {reason}")
