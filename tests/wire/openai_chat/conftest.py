"""The official client as the judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.wire.openai_chat.judge import Said, sdk_said


@pytest.fixture(name="sdk_said")
def sdk_said_fixture() -> Callable[[bytes], Said]:
    return sdk_said
