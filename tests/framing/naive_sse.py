"""An SSE decoder that is slow and obviously right: the standard's sentences in order, a character at a time.

It takes the whole stream at once and shares nothing with `headrace.framing.sse` but the type of an event.
Sources: WHATWG HTML 9.2.6 (interpreting an event stream), WHATWG Encoding 8.1.1 (UTF-8 decode).
"""

from __future__ import annotations

from headrace.framing.sse import MAX_RETRY_MS, Event

REPLACEMENT = "\ufffd"


def utf8(data: bytes) -> str:
    """The Encoding standard's UTF-8 decoder, byte by byte, its variables under their own names."""
    out: list[str] = []
    code_point = needed = seen = 0
    lower, upper = 0x80, 0xBF
    position = 0
    while position < len(data):
        byte = data[position]
        position += 1
        if needed == 0:
            if byte <= 0x7F:
                out.append(chr(byte))
            elif 0xC2 <= byte <= 0xDF:
                needed, code_point = 1, byte & 0x1F
            elif 0xE0 <= byte <= 0xEF:
                lower = 0xA0 if byte == 0xE0 else lower
                upper = 0x9F if byte == 0xED else upper
                needed, code_point = 2, byte & 0xF
            elif 0xF0 <= byte <= 0xF4:
                lower = 0x90 if byte == 0xF0 else lower
                upper = 0x8F if byte == 0xF4 else upper
                needed, code_point = 3, byte & 0x7
            else:
                out.append(REPLACEMENT)
            continue
        if not lower <= byte <= upper:
            code_point = needed = seen = 0
            lower, upper = 0x80, 0xBF
            position -= 1  # the standard: restore byte to the stream
            out.append(REPLACEMENT)
            continue
        lower, upper = 0x80, 0xBF
        code_point = (code_point << 6) | (byte & 0x3F)
        seen += 1
        if seen == needed:
            out.append(chr(code_point))
            code_point = needed = seen = 0
    if needed:
        out.append(REPLACEMENT)
    return "".join(out)


class Naive:
    """`Naive(stream).events`, and `retry` and `last_event_id` as they stand at its end."""

    def __init__(self, stream: bytes) -> None:
        self.events: list[Event] = []
        self.retry: int | None = None
        self.last_event_id = ""
        self._data: list[str] = []  # the data buffer: each value, and after each a line feed
        self._event = ""
        self._id = ""
        self._block_retry: int | None = None
        text = utf8(stream)
        if text[:1] == "\ufeff":
            text = text[1:]
        for line in self._lines(text):
            self._process(line)

    def _lines(self, text: str) -> list[str]:
        lines: list[str] = []
        line = ""
        position = 0
        while position < len(text):
            character = text[position]
            position += 1
            if character == "\r" and text[position : position + 1] == "\n":
                position += 1
            if character in "\r\n":
                lines.append(line)
                line = ""
            else:
                line += character
        return lines  # what follows the last line end is no line: it is discarded

    def _process(self, line: str) -> None:
        if line == "":
            self._dispatch()
        elif line[0] == ":":
            pass
        elif ":" in line:
            name = line[: line.index(":")]
            value = line[line.index(":") + 1 :]
            if value[:1] == " ":
                value = value[1:]
            self._field(name, value)
        else:
            self._field(line, "")

    def _field(self, name: str, value: str) -> None:
        if name == "event":
            self._event = value
        elif name == "data":
            self._data += [value, "\n"]
        elif name == "id":
            if "\0" not in value:
                self._id = value
        elif name == "retry" and value and all(character in "0123456789" for character in value):
            milliseconds = 0
            for character in value:
                milliseconds = min(milliseconds * 10 + "0123456789".index(character), MAX_RETRY_MS)
            self.retry = self._block_retry = milliseconds

    def _dispatch(self) -> None:
        self.last_event_id = self._id
        data = "".join(self._data)
        if data != "":
            data = data[:-1] if data[-1] == "\n" else data
            self.events.append(Event(self._event or "message", data, self._id, self._block_retry))
        self._data = []
        self._event = ""
        self._block_retry = None
