"""The official client as the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from tests.wire.openai_completions.judge import client_for


@pytest.fixture
def answering() -> Iterator[Callable[..., openai.OpenAI]]:
    """Makes an official client whose server answers with these bytes."""
    made: list[openai.OpenAI] = []

    def make(body: bytes, **about: Any) -> openai.OpenAI:
        made.append(client_for(body, **about))
        return made[-1]

    yield make
    for client in made:
        client.close()
