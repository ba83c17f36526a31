"""The official client as the judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.genai import types
from tests.wire.gemini.judge import Official, Said, said_by


@pytest.fixture
def official() -> Callable[..., Official]:
    return Official


@pytest.fixture(name="said_by")
def said_by_fixture() -> Callable[[list[types.GenerateContentResponse]], Said]:
    return said_by
