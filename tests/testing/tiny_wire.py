"""The wire of `docs/howto/add-a-wire.md`, taken from the page: the documents hold the only copy."""

from __future__ import annotations

import re
import types
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-wire.md"


def load() -> types.ModuleType:
    found = re.search(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert found, f"{PAGE} has no wire any more"
    module = types.ModuleType("tiny_wire")
    exec(compile(found[1], str(PAGE), "exec"), module.__dict__)
    return module


tiny = load()
