"""docs/reference/providers.md has the rows and quirks of the code, no more and no less."""

from __future__ import annotations

import re

from tests.docs.provider_tables import PAGE, tables, written


def test_the_tables_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert page == written(page), "run: python -m tests.docs.provider_tables"


def test_no_other_wire_is_told_of() -> None:
    told = re.findall(r"^## ((?:The wire|Known).*)$", PAGE.read_text(), re.M)
    assert told == list(tables())
