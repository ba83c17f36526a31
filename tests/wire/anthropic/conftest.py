"""The official client as the judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.wire.anthropic.judge import sdk_message


@pytest.fixture(name="sdk_message")
def sdk_message_fixture() -> Callable[[bytes], dict[str, Any]]:
    return sdk_message
