"""The official client as the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2
import huggingface_hub
import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.utils._http import close_session, default_client_factory


@pytest.fixture
def answering() -> Iterator[Callable[..., InferenceClient]]:
    """Makes an official client whose server answers with these bytes; `asked` gathers its requests."""

    def make(
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "text/event-stream",
        asked: list[httpx2.Request] | None = None,
    ) -> InferenceClient:
        def answer(request: httpx2.Request) -> httpx2.Response:
            if request.method == "GET":  # the client's own asking about its surroundings
                return httpx2.Response(404)
            if asked is not None:
                asked.append(request)
            return httpx2.Response(status, content=body, headers={"content-type": content_type})

        huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=httpx2.MockTransport(answer)))
        return InferenceClient(model="http://localhost/")

    yield make
    close_session()
    huggingface_hub.set_client_factory(default_client_factory)
