"""Clients that go or read slowly, servers that stop, clocks that jump."""

from __future__ import annotations

from tests.faults.scenes import clients, servers
from tests.faults.speech import END, HEADERS, MID, TOKEN
from tests.faults.table import ALL_WAYS, Row, Scene, in_every_phase

ROWS = (
    Row(
        "client disconnects",
        "the client resets its connection; a direct caller is cancelled",
        "the place's socket is closed at once; the stream is `cancelled`, with what had been said",
        in_every_phase(clients.disconnects, ALL_WAYS),
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
        in_every_phase(servers.drains),
    ),
    Row(
        "shutdown: cut off",
        "the server is told to stop, and the answer outlasts the drain",
        "`unavailable`, code `shutting_down`; 503, or an error event; retryable",
        in_every_phase(servers.outlasts_the_drain),
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
        in_every_phase(servers.clock_jumps, ALL_WAYS),
    ),
)
