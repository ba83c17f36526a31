"""multipart/form-data, sans-io: bytes in any split -> parts, and back.

Source: RFC 7578 and RFC 2046 5.1; names and file names as browsers and Python's clients write them (WHATWG
HTML 4.10.21.8, RFC 5987), read 2026-11-25. A line that only begins like a delimiter is content.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from headrace.core.chunk import Failure
from headrace.errors import Truncated, WireError
from headrace.framing.parameters import parameters_of

MAX_PARTS = 1024
MAX_HEAD_BYTES = 8 * 2**10
MAX_FIELD_BYTES = 8 * 2**20
MAX_BOUNDARY_CHARS = 70  # RFC 2046 5.1.1
_MAX_PADDING_BYTES = 64  # white space behind a boundary
_FOLD = re.compile(r"\r\n[ \t]+")
_PREAMBLE, _HEAD, _CONTENT, _OVER = range(4)
_ESCAPED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A", "\\": "\\\\"})


class PartHead(msgspec.Struct, frozen=True, gc=False):
    """Begins a part. filename: None for a plain field."""

    name: str
    filename: str | None = None
    content_type: str = ""


class FormPart(msgspec.Struct, frozen=True, gc=False):
    """A part, whole."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str = ""


class MultipartDecoder:
    """Bytes in any split -> each part's `PartHead` and then its content in pieces. Eager and linear.

    Over a limit, or where a part has no readable head, it appends one `Failure` (kind `wire`; code
    `too_many_parts`, `part_head_too_long`, `field_too_long`, `bad_part_head`) and goes inert; input that ends
    before the closing boundary is a Failure `truncated`. It holds at most one head or one delimiter: the
    content of files is for the caller to bound.

    boundary: as the content type says it. max_head_bytes: of one part's head, and of what stands before the
    first part. max_field_bytes: of the content of a part that is no file.
    """

    __slots__ = (
        "_begins",
        "_content_bytes",
        "_delimiter",
        "_field_bytes",
        "_held",
        "_left_parts",
        "_limits",
        "_seen",
        "_state",
        "_unfinished",
        "_window",
    )

    def __init__(
        self,
        boundary: str,
        *,
        max_parts: int = MAX_PARTS,
        max_head_bytes: int = MAX_HEAD_BYTES,
        max_field_bytes: int = MAX_FIELD_BYTES,
    ) -> None:
        if not 1 <= len(boundary) <= MAX_BOUNDARY_CHARS:
            raise ValueError(f"a boundary has 1 to {MAX_BOUNDARY_CHARS} characters, not {len(boundary)}")
        self._begins = begins = b"\r\n--" + boundary.encode("latin-1", "replace")
        padding = rb"[ \t]{0,%d}" % _MAX_PADDING_BYTES
        self._delimiter = re.compile(re.escape(begins) + rb"(?:(--)|%b\r\n)" % padding)
        self._unfinished = re.compile(re.escape(begins) + rb"(?:-|%b\r?)\Z" % padding)
        self._window = len(begins) + _MAX_PADDING_BYTES + 1  # an unfinished delimiter is no longer
        self._limits = (max_parts, max_head_bytes, max_field_bytes)
        self._left_parts = max_parts
        self._state = _PREAMBLE
        self._held = bytearray(b"\r\n")  # the first delimiter may have no line before it
        self._seen = 0  # how much of a head was searched for its end
        self._content_bytes = 0
        self._field_bytes: int | None = None  # what the open part may hold

    def feed(self, data: bytes) -> list[PartHead | bytes | Failure]:
        """What `data` makes complete; content as it comes, never an empty piece."""
        out: list[PartHead | bytes | Failure] = []
        if self._state == _OVER:
            return out
        held = self._held
        held += data
        at = 0
        while at >= 0 and self._state != _OVER:
            done = at
            at = self._head(held, at, out) if self._state == _HEAD else self._content(held, at, out)
        if self._state != _OVER:
            del held[: done if self._state == _HEAD else self._given(held, done, out)]
        return out

    def close(self) -> list[PartHead | bytes | Failure]:
        """The failure that says the form was cut, nothing where it was whole. Then the decoder is inert."""
        if self._state == _OVER:
            return []
        self._stop()
        return [Failure.of(Truncated("the form ended before its closing boundary"))]

    def _content(self, held: bytearray, at: int, out: list[PartHead | bytes | Failure]) -> int:
        """Behind the delimiter that ends the open part, -1 where it has not come."""
        found = self._delimiter.search(held, at)
        if found is None:
            return -1
        if not self._take(held, at, found.start(), out):
            return -1
        if found[1]:
            self._stop()  # what stands behind is no part
            return -1
        if not self._left_parts:
            self._fail(out, "too_many_parts", f"a form has more than {self._limits[0]} parts")
            return -1
        self._left_parts -= 1
        self._state = _HEAD
        self._seen = 0
        return found.end()

    def _given(self, held: bytearray, at: int, out: list[PartHead | bytes | Failure]) -> int:
        """Give what cannot belong to a delimiter any more, and where it ends."""
        end = held.find(b"\r", max(at, len(held) - self._window))
        while end >= 0 and not self._may_end(held, end):
            end = held.find(b"\r", end + 1)
        end = len(held) if end < 0 else end
        self._take(held, at, end, out)
        return end

    def _may_end(self, held: bytearray, at: int) -> bool:
        """Whether what is held from `at` on is the beginning of a delimiter."""
        rest = bytes(held[at : at + len(self._begins)])
        return self._begins.startswith(rest) and (
            len(rest) < len(self._begins) or self._unfinished.match(held, at) is not None
        )

    def _take(self, held: bytearray, at: int, end: int, out: list[PartHead | bytes | Failure]) -> bool:
        """Give content, up to its limit; what stands before the first part is dropped. Whether it fits."""
        self._content_bytes += end - at
        limit = self._field_bytes
        if self._state == _PREAMBLE:
            if self._content_bytes > self._limits[1] + 2:
                self._fail(out, "part_head_too_long", "the form does not begin with its boundary")
                return False
            return True
        over = self._content_bytes - limit if limit is not None else 0
        if over > 0:
            end -= over
        if end > at:
            out.append(bytes(held[at:end]))
        if over > 0:
            self._fail(out, "field_too_long", f"a field is longer than {limit} bytes")
        return over <= 0

    def _head(self, held: bytearray, at: int, out: list[PartHead | bytes | Failure]) -> int:
        """Behind the blank line that ends a head, -1 where it has not come."""
        limit = self._limits[1]
        end = held.find(b"\r\n\r\n", max(at, at + self._seen - 3))
        if end < 0:
            self._seen = len(held) - at
            if self._seen >= limit + 4:
                self._fail(out, "part_head_too_long", f"a part's head is longer than {limit} bytes")
            return -1
        if end - at > limit:
            self._fail(out, "part_head_too_long", f"a part's head is longer than {limit} bytes")
            return -1
        head = _read_head(held[at:end].decode("utf-8", "replace"))
        if head is None:
            self._fail(out, "bad_part_head", "a part has no content-disposition: form-data with a name")
            return -1
        out.append(head)
        self._state = _CONTENT
        self._content_bytes = 0
        self._field_bytes = self._limits[2] if head.filename is None else None
        return end + 4

    def _fail(self, out: list[PartHead | bytes | Failure], code: str, message: str) -> None:
        self._stop()
        out.append(Failure.of(WireError(message, code=code)))

    def _stop(self) -> None:
        self._state = _OVER
        self._held = bytearray()


def _read_head(text: str) -> PartHead | None:
    """A part's head; None where it does not name a form's part."""
    headers: dict[str, str] = {}
    for line in _FOLD.sub(" ", text).split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            return None
        headers.setdefault(name.strip().lower(), value.strip())
    kind, told = parameters_of(headers.get("content-disposition", ""))
    if kind != "form-data" or "name" not in told:
        return None
    return PartHead(told["name"], told.get("filename"), headers.get("content-type", ""))


def boundary_of(content_type: str) -> str:
    """The boundary of a form's content type; empty where it is no form's, or names none that is one."""
    kind, told = parameters_of(content_type)
    boundary = told.get("boundary", "") if kind == "multipart/form-data" else ""
    return boundary if len(boundary) <= MAX_BOUNDARY_CHARS else ""


def read_form(body: bytes, boundary: str) -> list[FormPart] | Failure:
    """The parts of a whole form. What is wrong with it is a value, as with the decoder."""
    decoder = MultipartDecoder(boundary)
    heads: list[PartHead] = []
    pieces: list[list[bytes]] = []
    for one in (*decoder.feed(body), *decoder.close()):
        if isinstance(one, Failure):
            return one
        if isinstance(one, bytes):
            pieces[-1].append(one)
        else:
            heads.append(one)
            pieces.append([])
    return [
        FormPart(head.name, b"".join(data), head.filename, head.content_type)
        for head, data in zip(heads, pieces, strict=True)
    ]


def encode_form(parts: Sequence[FormPart]) -> tuple[bytes, str]:
    """(body, content type) of a form.

    The boundary is drawn from the contents, so that the same form gives the same bytes and no content can
    hold it by design. Names arrive as they are, save for one that spells out an escape (`%22`, `%0D`, `%0A`):
    the standard has no other spelling for it.
    """
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(b"%d:" % len(part.data))
        digest.update(part.data)
    boundary = f"headrace-{digest.hexdigest()}"
    lines: list[bytes] = []
    for part in parts:
        lines += [f"--{boundary}\r\n{_head_text(part)}\r\n\r\n".encode(), part.data, b"\r\n"]
    lines.append(f"--{boundary}--\r\n".encode())
    return b"".join(lines), f"multipart/form-data; boundary={boundary}"


def _head_text(part: FormPart) -> str:
    head = f'content-disposition: form-data; name="{part.name.translate(_ESCAPED)}"'
    if part.filename is not None:
        head += f'; filename="{part.filename.translate(_ESCAPED)}"'
    if part.content_type:
        if "\r" in part.content_type or "\n" in part.content_type:
            raise ValueError(f"content type {part.content_type!r} cannot be written into a form")
        head += f"\r\ncontent-type: {part.content_type}"
    return head
