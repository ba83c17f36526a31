"""The rows of the fault matrix, in its order."""

from __future__ import annotations

from tests.faults.rows import clients, connecting, contents, cuts, shapes, statuses, streams
from tests.faults.table import Row, cells_of

GROUPS: dict[str, tuple[Row, ...]] = {
    "Connecting": connecting.ROWS,
    "Error answers": statuses.ROWS,
    "Silences and cuts": cuts.ROWS,
    "Odd bytes": shapes.ROWS,
    "Odd contents": contents.ROWS,
    "Clients and servers": clients.ROWS,
    "Streams with a life": streams.ROWS,
}
ROWS = tuple(row for rows in GROUPS.values() for row in rows)
CELLS = cells_of(ROWS)
