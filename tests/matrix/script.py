"""What is asked and what the scripted models answer, whatever the protocol."""

from __future__ import annotations

import struct
import zlib

from tests.matrix.said import Call, Function, Source, Token

MODEL = "gemini-3-pro"  # what every provider's model is called: Google's name tells how it is made to think

SYSTEM = "You are terse. Grüße!"
QUESTION = "What is in the picture?\n\nAnd what time is it there? 🕰"
AGAIN = "Thank you, 谢谢."
EFFORT = "high"
SETTINGS = {"max tokens": 321, "temperature": 0.5, "top p": 0.75, "stop": ["\nEND", "###"], "seed": 7}

TEXT = "Grüße 👩‍🚀, two\n\nparagraphs and  spaces."
PIECES = ("Grüße ", "👩‍🚀, two\n", "\nparagraphs and", "  spaces.")
FIRST = PIECES[0]
REASONING = "The picture shows Bern.\nTwo tools tell the rest… 🤔"
THOUGHTS = ("The picture shows ", "Bern.\nTwo tools tell ", "the rest… 🤔")
REFUSAL = "I'm sorry, I can't help with that."
TRANSCRIPT = "Bonjour à tous."

TOOLS = (
    Function(
        "weather",
        "The weather of a city.",
        {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    ),
    Function("clock", "The time in a zone.", {"type": "object", "properties": {"zone": {"type": "string"}}}),
)
ARGUMENTS = ({"city": 'Zürich "Süd"', "days": 2}, {"zone": "Europe/Zurich"})
RESULTS = ('{"sky": "clear", "high": 21}', "It is 10:15.\nUhr")

FORM = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
JSON_PIECES = ('{"city": "Z', 'ürich", "peo', 'ple": 443037}')

TOKENS = (
    Token("Hello", -0.25, (("Hello", -0.25), ("Hi", -1.5)), 101),
    Token(" world", -0.5, ((" world", -0.5), (" there", -2.0)), 102),
    Token(" Grüße", -1.25, ((" Grüße", -1.25), (" again", -3.0)), 103),
)
SPOKEN = "".join(token.text for token in TOKENS)

CITED = ("Zürich is a city.", "It has trams 🚋.")
SOURCES = (
    Source("https://example.org/zurich", "Zürich – a city", "Zürich: Stadt der Schweiz", (0, 17)),
    Source("https://example.org/trams?a=1&b=2", "Trams", "Tram Zürich has 15 lines.", (17, 32)),
)

USAGE = {"input": 120, "output": 60, "cached": 40, "cache writes": 10, "reasoning": 20}


def png(red: int, green: int, blue: int) -> bytes:
    """The smallest picture: one dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    dot = zlib.compress(bytes([0, red, green, blue]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", dot) + chunk(b"IEND", b"")


def wav(samples: bytes) -> bytes:
    """16-bit mono at 16 kHz."""
    form = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(body) + len(samples)) + body + samples


ASKED_IMAGE = png(10, 20, 30)
DRAWN_IMAGE = png(200, 100, 50)
ASKED_SOUND = wav(bytes(range(64)))
SPOKEN_SOUND = bytes(range(255, 127, -1))  # 16-bit samples
DOCUMENT = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
DOCUMENT_NAME = "bears.pdf"


def calls(ids: tuple[str, str]) -> tuple[Call, ...]:
    """The two calls, under a vendor's own ids."""
    named = zip(ids, TOOLS, ARGUMENTS, strict=True)
    return tuple(Call(id, tool.name, arguments) for id, tool, arguments in named)


def without_ids(tokens: tuple[Token, ...]) -> list[Token]:
    """As vendors tell them that have no numbers for their tokens."""
    return [Token(token.text, token.logprob, token.top) for token in tokens]
