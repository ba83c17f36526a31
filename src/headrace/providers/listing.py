"""Asking a place which models it has."""

from __future__ import annotations

import asyncio

import msgspec

from headrace.core.chunk import Failure
from headrace.core.model import ModelCard
from headrace.errors import HeadraceError, RequestError, WireError
from headrace.providers.received import dated
from headrace.providers.row import ProviderRow, base_url_of, key_of, request_headers, secrets_of
from headrace.providers.scrub import scrubbed
from headrace.transport.fetch import MAX_BODY_BYTES, fetch
from headrace.transport.http import HttpRequest, Sender
from headrace.transport.pool import pool_here
from headrace.wire import wire_named
from headrace.wire.base import Wire

MAX_PAGES = 100


async def list_models(
    row: ProviderRow, sender: Sender | None = None, *, total_s: float = 30.0
) -> list[ModelCard]:
    """The models that `row`'s place offers now, ids as Headrace takes them ("groq/llama-3.3-70b").

    Asked for as the row's wire says, page by page. total_s: for all of them; all their bytes together are
    bounded as those of one answer are.
    Raises: AuthError (no key, or refused), ConfigError (no address), ProviderError, WireError (no list, too
    large, without an end), StreamTimeoutException, RequestError (a wire that has no list).
    """
    wire = wire_named(row.wire)
    if wire.listing is None:
        said = f"the protocol of {row.name} has no list of models: name them in providers.{row.name}.models"
        raise RequestError(said, field="provider", value=row.name)
    until_s = asyncio.get_running_loop().time() + total_s
    asker = _Asker(row, wire, sender or pool_here(), wire.listing.at(base_url_of(row)), until_s)
    cards: list[ModelCard] = []
    path = wire.listing.path
    for _ in range(MAX_PAGES):
        body = await asker.ask(path)
        try:
            page = wire.listing.read(body)
        except WireError as error:
            raise WireError(f"{row.name} sent {error.message}", code=error.code) from None
        cards += [
            msgspec.structs.replace(card, id=f"{row.name}/{card.id}", owner=row.name) for card in page.cards
        ]
        path = page.next_path
        if not path:
            return cards
    raise WireError(f"{row.name} sent {MAX_PAGES} pages of models and no end", code="bad_model_list")


class _Asker:
    """Asks one place for one list: a key, a deadline and a bound of bytes for all its pages."""

    def __init__(self, row: ProviderRow, wire: Wire, sender: Sender, base_url: str, until_s: float) -> None:
        self._row = row
        self._wire = wire
        self._sender = sender
        self._until_s = until_s
        self._left_bytes = MAX_BODY_BYTES
        self._key = key_of(row)
        self._base_url = base_url
        self._headers = request_headers(row, wire, self._key, accept="application/json")

    async def ask(self, path: str) -> bytes:
        """The body at a path under the place's address."""
        row = self._row
        request = HttpRequest("GET", self._base_url + path, self._headers, b"", row.ca_file)
        try:
            response = await fetch(
                self._sender,
                request,
                connect_s=row.clocks.connect_s,
                total_s=max(0.0, self._until_s - asyncio.get_running_loop().time()),
                max_body_bytes=self._left_bytes,
            )
        except HeadraceError as error:
            failure = Failure.of(error)
        else:
            if response.status == 200:
                self._left_bytes -= len(response.body)
                return response.body
            headers = dated(response.headers)
            failure = self._wire.failure(response.status, headers, response.body, row.name)
        # Raised out here, so that no unclean error hangs on it as its context.
        raise scrubbed(failure, secrets_of(row, self._key), row.name).error()
