"""One response as it is parsed: the head's fields, the body pieces of the latest read, how it will end."""

from __future__ import annotations

import httptools

from headrace.core.excerpt import excerpt
from headrace.transport.failures import BadResponse
from headrace.transport.inflate import MAX_QUOTED_CHARS, Inflater

MAX_HEAD_BYTES = 65_536
_BODILESS = (204, 304)
_TAKEN: dict[str, str] = {}  # one for all: thousands of responses wait in this state


class _Surplus(Exception):
    """Bytes after the response's end: stops the parser, so that they reach nobody."""


class Reading:
    """The parser's callbacks for one response. `feed` it, then look at what it has."""

    __slots__ = (
        "_dry_bytes",
        "_field_bytes",
        "_head_only",
        "_max_head_bytes",
        "_parser",
        "_skips",
        "complete",
        "headers",
        "inflater",
        "on_body",
        "pieces",
        "reusable",
        "status",
        "until_eof",
    )

    def __init__(self, *, head_only: bool, max_head_bytes: int = MAX_HEAD_BYTES) -> None:
        self.pieces: list[bytes] = []
        self.on_body = self.pieces.append  # straight from the parser into the list
        self.status = 0  # of the final head, once it is complete
        self.headers: dict[str, str] = {}
        self.complete = False
        self.reusable = False
        self.until_eof = False
        self.inflater: Inflater | None = None
        self._head_only = head_only
        self._max_head_bytes = max_head_bytes
        self._dry_bytes = 0  # read since the last body bytes: drips of heads and trailers are bounded by it
        self._field_bytes = 0
        self._skips = False  # inside an interim (1xx) response
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> BadResponse | None:
        """Parse a read. What is wrong with it comes back only after what was right stands in the fields."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            return self._from_callback(error)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self.complete:
                self.reusable = False
                return None
            if isinstance(error, httptools.HttpParserUpgrade):
                return BadResponse("it switches protocols, which nobody asked for")
            return BadResponse(str(error) or type(error).__name__)
        if self.pieces:
            self._dry_bytes = 0
        elif not self.complete:
            self._dry_bytes += len(data)
            if self._dry_bytes > self._max_head_bytes:
                return self._too_large()
        return None

    def close(self) -> None:
        """Break the cycle with the parser, so that both are freed at once."""
        del self._parser

    def take_headers(self) -> dict[str, str]:
        """The head's fields, which are not kept here any longer."""
        headers, self.headers = self.headers, _TAKEN
        return headers

    def _from_callback(self, error: httptools.HttpParserCallbackError) -> BadResponse | None:
        cause = error.__context__
        if isinstance(cause, BadResponse):
            return cause
        if isinstance(cause, _Surplus) and self.complete:
            self.reusable = False
            return None
        raise error  # a bug of ours, not the far end's

    def _too_large(self) -> BadResponse:
        return BadResponse(f"its head exceeds {self._max_head_bytes} bytes", "head_too_large")

    def on_message_begin(self) -> None:
        if self.complete:
            raise _Surplus

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer
        self._field_bytes += len(name) + len(value)
        if self._field_bytes > self._max_head_bytes:
            raise self._too_large()
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        known = self.headers.get(key)
        self.headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self._skips = True
            self.headers = {}
            return
        self._body_framing(status)
        self.status = status
        if self._head_only:
            self.complete = True

    def on_message_complete(self) -> None:
        if self._skips:
            self._skips = False
        else:
            self.complete = True

    def _body_framing(self, status: int) -> None:
        coding = self.headers.get("transfer-encoding", "").strip().lower()
        if coding not in ("", "chunked"):
            quoted = excerpt(self.headers["transfer-encoding"].strip(), MAX_QUOTED_CHARS)
            raise BadResponse(f"transfer-encoding {quoted!r} was not asked for", "transfer_encoding")
        bodiless = self._head_only or status in _BODILESS
        self.until_eof = not bodiless and not coding and "content-length" not in self.headers
        # A HEAD's content-length is taken for a body by the parser: such a connection is not used again.
        self.reusable = not self._head_only and not self.until_eof and self._parser.should_keep_alive()
        if not bodiless:
            self.inflater = Inflater.for_coding(self.headers.pop("content-encoding", ""))
