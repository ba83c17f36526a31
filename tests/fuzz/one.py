"""One target under atheris: `python -m tests.fuzz.one TARGET [libFuzzer options]`. Ends the process."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["headrace.framing", "headrace.wire", "headrace.core"]):
    import headrace.wire.openai_audio
    import headrace.wire.openai_chat  # noqa: F401 - wires load late, and would then not be instrumented
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()
