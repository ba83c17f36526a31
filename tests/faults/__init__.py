"""The fault matrix: every fault, in every phase of an answer, over four wires, by each way through the house.

`rows/` holds the faults as data: what is done to a stream in a phase, and what must be seen of it.
`speech.py` is what each vendor's place says, cut where the phases part; `upstream.py` is that place on the
loopback, and `plays.py` what it does wrong. `ways.py` asks: a client of the same wire (relayed), a client of
another wire (encoded), and a direct call. `scenes.py` and `moves.py` are for faults of clients, servers and
logs. `checker.py` judges every cell by the same invariants; `page.py` writes `docs/reference/faults.md`
(`python -m tests.faults`).

A further fault is a row.
"""
