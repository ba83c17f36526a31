"""Without asyncio: a plain loop, for scripts and notebooks."""

import sys

import headrace

model = sys.argv[1] if len(sys.argv) > 1 else "local"
with headrace.stream_sync(model, "Name a river.") as pieces:
    for piece in pieces:
        print(piece, end="", flush=True)
print()
