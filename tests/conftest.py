"""What tests of several rooms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.node.page import Page, missing, running_page


@pytest.fixture(scope="session")
def page() -> Iterator[Page]:
    """A web page with the npm package `ai`; skips where it cannot be had."""
    why = missing()
    if why:
        pytest.skip(why)
    with running_page() as running:
        yield running
