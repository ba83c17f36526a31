"""The same answer in other bytes: none of it may be seen, except where it is no answer at all."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.plays import answers, drips, endless_event, endless_head, says, then
from tests.faults.speech import END, HEADERS, MID, PHASES, TOKEN, Events, Phase, Speech, edited
from tests.faults.table import WHOLE, Case, Row, Seen, unsaid
from tests.faults.upstream import Play

_WITH_HEADERS = "the content type comes with the headers"
_COMMENT = b": a comment\n\n: and one more line of it\n"
_PAGE = b"<html><head><title>Bad gateway</title></head><body>nginx</body></html>"


def _parts(speech: Speech) -> dict[Phase, Events]:
    return {TOKEN: speech.opening, MID: speech.texts, END: speech.ending}


def _with(speech: Speech, phase: Phase, data: bytes) -> bytes:
    """The whole answer, with `data` where the phase begins."""
    return b"".join((*speech.before(phase), data, *speech.after(phase)))


def _unescaped(event: bytes) -> bytes:
    return edited(event, lambda body: body)


def _cut_letters(speech: Speech) -> Play:
    """Every letter of more than one byte comes in two reads."""
    raw = b"".join(_unescaped(one) for one in speech.texts)
    cuts = [at for at in range(1, len(raw)) if raw[at] & 0xC0 == 0x80]
    pieces = [raw[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    return answers([b"".join(speech.opening), *pieces, b"".join(speech.ending)])


def _cut_line_ends(phase: Phase) -> Callable[[Speech], Play]:
    """Lines end in CRLF, and each CR of the phase's events comes in another read than its LF."""

    def play(speech: Speech) -> Play:
        pieces: list[bytes] = []
        for name, events in _parts(speech).items():
            data = b"".join(events).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            cut = data.replace(b"\r\n", b"\r\0\n").split(b"\0")
            pieces += cut if name == phase else [data]
        return answers([piece for piece in pieces if piece])

    return play


def _commented(phase: Phase) -> Callable[[Speech], Play]:
    return lambda speech: answers(_with(speech, phase, _COMMENT))


def _unknown(phase: Phase) -> Callable[[Speech], Play]:
    return lambda speech: answers(_with(speech, phase, speech.unknown))


def _marked(speech: Speech) -> Play:
    return answers(b"\xef\xbb\xbf" + b"".join(speech.events))


_TOO_LONG = Seen("wire", "event_too_long", 502)
_UNEXPECTED = Seen("wire", "unexpected_answer", 502)

ROWS = (
    Row(
        "UTF-8 split",
        "a letter of several bytes comes in several reads",
        "whole",
        {
            HEADERS: "headers are ASCII",
            TOKEN: "there is no text before the first",
            MID: Case(_cut_letters, WHOLE),
            END: "what is behind the text is ASCII",
        },
    ),
    Row(
        "CRLF split",
        "lines end in CRLF, and the two come in different reads",
        "whole",
        {
            HEADERS: "that is the row *one-byte slices*",
            **{phase: Case(_cut_line_ends(phase), WHOLE, but=unsaid(phase)) for phase in (TOKEN, MID, END)},
        },
    ),
    Row(
        "one-byte slices",
        "the phase's bytes come one by one, the status line and chunk sizes too",
        "whole",
        {
            phase: Case(
                lambda speech, phase=phase: drips(speech, phase),  # type: ignore[misc]
                WHOLE,
                but=unsaid(phase),
            )
            for phase in PHASES
        },
    ),
    Row(
        "BOM",
        "a byte order mark before the first event",
        "whole",
        {
            HEADERS: "it belongs to the body",
            TOKEN: Case(_marked, WHOLE),
            **dict.fromkeys((MID, END), "behind the beginning it is no mark"),
        },
    ),
    Row(
        "comments",
        "comment lines between events, with a blank line behind them and without",
        "whole",
        {
            HEADERS: "they belong to the body",
            **{phase: Case(_commented(phase), WHOLE) for phase in (TOKEN, MID, END)},
        },
    ),
    Row(
        "unknown events",
        "an event that nobody knows",
        "whole",
        {
            HEADERS: "they belong to the body",
            **{phase: Case(_unknown(phase), WHOLE) for phase in (TOKEN, MID, END)},
        },
    ),
    Row(
        "oversized event",
        "one event (before them: one header) without an end",
        "`wire`, code `event_too_long` (`head_too_large`); 502; not more than the bound is taken",
        {
            HEADERS: Case(lambda _speech: endless_head, Seen("wire", "head_too_large", 502)),
            **{
                phase: Case(
                    lambda speech, phase=phase: then(speech, phase, endless_event),  # type: ignore[misc]
                    _TOO_LONG,
                )
                for phase in (TOKEN, MID, END)
            },
        },
        "fall back",
    ),
    Row(
        "HTML with 200",
        "a page in the place of an answer",
        "`wire`, code `unexpected_answer`; 502; not retryable",
        {
            HEADERS: Case(lambda _speech: answers(_PAGE, "text/html"), _UNEXPECTED),
            TOKEN: Case(lambda _speech: answers(_PAGE), _UNEXPECTED),
            MID: Case(
                lambda speech: then(speech, MID, says(b"data: " + _PAGE + b"\n\n", ends=True)),
                Seen("wire", "wire", 502),
            ),
            END: Case(
                lambda speech: then(speech, END, says(b"data: " + _PAGE + b"\n\n", ends=True)),
                Seen("wire", "wire", 502),
            ),
        },
        "fall back",
    ),
    Row(
        "wrong content type",
        "200, and a content type that is no stream of this wire",
        "`wire`, code `unexpected_answer`; 502; not retryable",
        {
            HEADERS: Case(lambda speech: answers(b"".join(speech.events), "text/plain"), _UNEXPECTED),
            **dict.fromkeys((TOKEN, MID, END), _WITH_HEADERS),
        },
        "fall back",
    ),
)
