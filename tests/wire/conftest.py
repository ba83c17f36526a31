"""The fixture `recording`: every recorded stream of the wire whose folder the test stands in, here of all."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import pytest
from tests.wire import recordings

HERE = Path(__file__).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" in metafunc.fixturenames:
        folder = metafunc.definition.path.parent
        found = recordings.streams("" if folder == HERE else folder.name)
        metafunc.parametrize("recording", recordings.params(found, attrgetter("name")))
