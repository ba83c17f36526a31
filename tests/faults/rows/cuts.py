"""The place falls silent, or the connection ends."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.plays import answers, end_of_body, hang_up, headers_then_silence, reset, silence, then
from tests.faults.scenes.servers import silence_after_a_keepalive
from tests.faults.speech import END, HEADERS, MID, PHASES, TOKEN, Phase, Speech
from tests.faults.table import WIRES, Case, Row, Scene, Seen, unsaid
from tests.faults.upstream import Play

_LAST_WORD = "why it ended is its last word: without it that is the row *end without finish*"
_NOT_BEGUN = "there is no answer yet that could end"


def _at(phase: Phase, fault: Callable[..., object]) -> Callable[[Speech], Play]:
    return lambda speech: then(speech, phase, fault)  # type: ignore[arg-type]


def _timeout(code: str) -> Seen:
    return Seen("timeout", code, 504, retryable=True)


_TRUNCATED = Seen("truncated", "truncated", 502, retryable=True)
_RESET = Seen("truncated", "reset", 502, retryable=True, loses=True)
_UNANSWERED = Seen("unavailable", "reset", 502, retryable=True)


def _without_last(speech: Speech) -> Play:
    return answers(b"".join(speech.events[:-1]))


def _only_done(speech: Speech) -> Play:
    return answers(b"data: [DONE]\n\n" if speech.wire == "openai_chat" else b": nothing\n\n")


_EMPTY = {
    **dict.fromkeys(WIRES, _TRUNCATED),
    "openai_chat": Seen("truncated", "empty_response", 502, retryable=True),
}

ROWS = (
    Row(
        "slow headers",
        "the request is taken, and no answer begins",
        "`timeout`, code `first_token`; 504; retryable",
        {
            HEADERS: Case(_at(HEADERS, silence), _timeout("first_token")),
            **dict.fromkeys((TOKEN, MID, END), "the headers have come by then"),
        },
        "retry, then fall back; hedging",
    ),
    Row(
        "200 then silence",
        "the headers come, and nothing after them",
        "`timeout`, code `first_token`; 504, and behind a keep-alive comment an error event; retryable",
        {
            HEADERS: "that is the row *slow headers*",
            TOKEN: Case(headers_then_silence, _timeout("first_token")),
            **dict.fromkeys((MID, END), "that is the row *stall*"),
        },
        "retry, then fall back; hedging",
    ),
    Row(
        "silence over a keep-alive",
        "no answer begins for so long that a keep-alive comment goes out",
        "the status is committed: `timeout`, code `first_token`, as an error event",
        {
            HEADERS: Scene(silence_after_a_keepalive),
            TOKEN: Scene(silence_after_a_keepalive, but=unsaid(TOKEN)),
            **dict.fromkeys((MID, END), "events have committed the status by then"),
        },
    ),
    Row(
        "role chunk then cut",
        "the answer begins without a token, and the connection ends",
        "`truncated`; retryable, as no token was committed",
        {
            HEADERS: "that is the row *FIN*",
            TOKEN: Case(_at(TOKEN, hang_up), _TRUNCATED, but=unsaid(TOKEN)),
            **dict.fromkeys((MID, END), "tokens have been committed by then"),
        },
        "retry, as no token was committed",
    ),
    Row(
        "stall",
        "the answer stops coming, and the connection stays",
        "`timeout`, code `first_token` before a token, `idle` after one; retryable",
        {
            HEADERS: "that is the row *slow headers*",
            TOKEN: Case(_at(TOKEN, silence), _timeout("first_token"), but=unsaid(TOKEN)),
            MID: Case(_at(MID, silence), _timeout("idle")),
            END: Case(_at(END, silence), _timeout("idle")),
        },
        "by the declared policy: fail, or continue",
    ),
    Row(
        "RST",
        "the connection is reset",
        "`unavailable` before the headers, `truncated` after them, code `reset`; 502; retryable",
        {phase: Case(_at(phase, reset), _UNANSWERED if phase == HEADERS else _RESET) for phase in PHASES},
        "retry before the first token; after it by the declared policy",
    ),
    Row(
        "FIN",
        "the connection is closed in the middle of the body",
        "`unavailable` before the headers, `truncated` after them; 502; retryable",
        {
            phase: Case(_at(phase, hang_up), _UNANSWERED if phase == HEADERS else _TRUNCATED)
            for phase in PHASES
        },
        "retry before the first token; after it by the declared policy",
    ),
    Row(
        "end without finish",
        "the body ends as HTTP says, and nobody said that the answer is complete",
        "`truncated`; 502; retryable; never a made-up end",
        {
            HEADERS: _NOT_BEGUN,
            **{phase: Case(_at(phase, end_of_body), _TRUNCATED) for phase in (TOKEN, MID, END)},
        },
        "retry before the first token; after it by the declared policy",
    ),
    Row(
        "finish without [DONE]",
        "the answer says why it ended, and its protocol's last event is missing",
        "without `[DONE]`: whole, flagged (`clean` is false), and the client gets its `[DONE]`; without "
        "`message_stop` or `response.completed`: `truncated`",
        {
            **dict.fromkeys((HEADERS, TOKEN, MID), "the answer has not ended yet"),
            END: Case(
                _without_last,
                {**dict.fromkeys(WIRES, _TRUNCATED), "openai_chat": Seen(flagged=True)},
                but={"gemini": _LAST_WORD},
                said=lambda speech: speech.text,
            ),
        },
    ),
    Row(
        "[DONE] only",
        "200, and an answer with nothing in it: `[DONE]` alone, or no event at all",
        "`truncated`; 502; retryable; never an empty success",
        {
            HEADERS: _NOT_BEGUN,
            TOKEN: Case(_only_done, _EMPTY, said=lambda _speech: ""),
            **dict.fromkeys((MID, END), "there is something in it by then"),
        },
        "retry, then fall back",
    ),
)
