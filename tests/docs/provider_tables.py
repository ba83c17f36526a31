"""The tables of docs/reference/providers.md, made from the code.

`python -m tests.docs.provider_tables` writes them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from headrace.providers import KNOWN, ProviderRow
from headrace.wire import WIRES, wire_named
from headrace.wire.base import Wire

PAGE = Path(__file__).parents[2] / "docs/reference/providers.md"


def tables() -> dict[str, str]:
    """Section's title -> its table."""
    rows = [_line("name", "wire", "address", "key", "quirks"), _line(*["---"] * 5)]
    made = {"Known providers": "\n".join([*rows, *map(_row, KNOWN.values())])}
    for name in WIRES:
        made[f"The wire {name}"] = _wire(wire_named(name))
    return made


def _row(row: ProviderRow) -> str:
    key = " or ".join(f"`{name}`" for name in row.key_names) or "none"
    if row.key_optional and row.key_names:
        key += ", where it is set"
    quirks = ", ".join(f"`{name} = {json.dumps(value)}`" for name, value in row.quirks.items())
    return _line(f"`{row.name}`", f"`{row.wire}`", row.shown_url, key, quirks)


def _wire(wire: Wire) -> str:
    key = "as a bearer token" if wire.auth == "bearer" else f"in the header `{wire.auth}`"
    more = "".join(f" Each request has `{name}: {value}`." for name, value in wire.headers.items())
    lines = [f"The key goes {key}.{more}"]
    if not wire.quirks:
        return f"{lines[0]} It has no quirks."
    rows = [_line(f"`{name}`", quirk.kind.words, quirk.meaning) for name, quirk in wire.quirks.items()]
    return "\n".join([*lines, "", _line("quirk", "value", "meaning"), _line(*["---"] * 3), *rows])


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def written(page: str) -> str:
    """The page with its tables as they should be; what stands below `<!-- made -->` of a section is one."""
    for title, table in tables().items():
        section = re.compile(rf"(^## {re.escape(title)}\n.*?<!-- made -->\n)(.*?)(?=\n## |\Z)", re.M | re.S)
        page, found = section.subn(lambda match, table=table: f"{match[1]}{table}\n", page)
        assert found == 1, f"the page has no section {title!r} with <!-- made -->"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
