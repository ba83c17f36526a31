"""Clients that go or read slowly, servers that stop, clocks that jump."""

from __future__ import annotations

from tests.faults.scenes import clients, servers
from tests.faults.speech import END, HEADERS, MID, PHASES, TOKEN
from tests.faults.table import ALL_WAYS, Row, Scene

_NO_OPENING = {"gemini": "its first event holds text: there is nothing to say before it"}

ROWS = (
    Row(
        "client disconnects",
        "the client resets its connection; a direct caller is cancelled",
        "the place's socket is closed at once; the stream is `cancelled`, with what had been said",
        {
            phase: Scene(clients.disconnects, ways=ALL_WAYS, but=_NO_OPENING if phase == TOKEN else {})
            for phase in PHASES
        },
    ),
    Row(
        "slow client",
        "the client reads nothing for three times the model's clocks, then all",
        "the source is paused and its clocks stand still; whole",
        {
            **dict.fromkeys((HEADERS, TOKEN), "nothing has come that it could be slow to read"),
            MID: Scene(clients.reads_slowly, ways=ALL_WAYS),
            END: "what is left fits into the sockets' own buffers",
        },
    ),
    Row(
        "shutdown: drained",
        "the server is told to stop, and the answer ends in time",
        "whole; what is new meanwhile is refused: 503, and no further connection",
        {phase: Scene(servers.drains, but=_NO_OPENING if phase == TOKEN else {}) for phase in PHASES},
    ),
    Row(
        "shutdown: cut off",
        "the server is told to stop, and the answer outlasts the drain",
        "`unavailable`, code `shutting_down`; 503, or an error event; retryable",
        {
            phase: Scene(servers.outlasts_the_drain, but=_NO_OPENING if phase == TOKEN else {})
            for phase in PHASES
        },
    ),
    Row(
        "all back ends down",
        "many ask at once, and nothing listens anywhere",
        "each fails at once (`connect_refused`; 502), none waits for another",
        {
            HEADERS: Scene(servers.all_down, ways=ALL_WAYS),
            **dict.fromkeys((TOKEN, MID, END), "one is up by then"),
        },
        "half-open recovery",
    ),
    Row(
        "clock jump",
        "the wall clock is set a year on, or a year back",
        "whole: nothing that waits looks at it",
        {
            phase: Scene(servers.clock_jumps, ways=ALL_WAYS, but=_NO_OPENING if phase == TOKEN else {})
            for phase in PHASES
        },
    ),
)
