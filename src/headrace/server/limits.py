"""Every bound the server keeps, in one place, with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one client can take from the server. All of them can be set.

    max_body_bytes: of a request (413); room for a few images in base64.
    max_head_bytes: request line and headers together (414, 431); the same for a chunked body's trailers.
    max_reply_bytes: of an answer that is gathered whole for a client that does not stream, its chunks written
        as JSON (502). A stream needs no such bound: it holds `write_buffer_bytes`.
    head_s, body_s: for a request's head and for its whole body to come (408): a slow sender holds nothing.
    idle_s: a connection kept open between requests.
    max_pipelined: complete requests that wait behind a running one before the connection is read no more.
    write_buffer_bytes: unsent bytes of one connection at which its source is paused.
    slow_reader_s: a client that stays that far behind for so long is cut off.
    keepalive_after_s: silence after which a stream's status is committed and a comment line is sent.
    drain_s: how long a shutdown waits for running answers.
    """

    max_body_bytes: int = 32 * 2**20
    max_head_bytes: int = 64 * 2**10
    max_reply_bytes: int = 64 * 2**20
    head_s: float = 15.0
    body_s: float = 120.0
    idle_s: float = 75.0
    max_pipelined: int = 16
    write_buffer_bytes: int = 64 * 2**10
    slow_reader_s: float = 120.0
    keepalive_after_s: float = 10.0
    drain_s: float = 30.0
