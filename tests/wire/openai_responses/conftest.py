"""The official client as the judge."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.wire.openai_responses.judge import Said, said_by, sdk_final


@pytest.fixture(name="sdk_said")
def sdk_said_fixture() -> Callable[[bytes], Said]:
    return lambda body: said_by(sdk_final(body))
