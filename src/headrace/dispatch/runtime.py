"""What reaches models: one configuration, one pool of connections, one set of local engines."""

from __future__ import annotations

import asyncio
import difflib
import re
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from headrace.config import Settings, line_in, load_config
from headrace.core.excerpt import excerpt
from headrace.core.model import Model, ModelCard
from headrace.errors import ConfigError, RequestError, UnknownModel
from headrace.providers.configured import provider_rows
from headrace.providers.listing import list_models
from headrace.providers.model import provider_model
from headrace.providers.row import ProviderRow
from headrace.runners import weights
from headrace.simulate.echo import simulated_models
from headrace.transport.per_loop import PerLoop
from headrace.transport.pool import HttpPool

if TYPE_CHECKING:
    from headrace.runners.local import LocalModels, PullProgress

DEFAULT_ALIASES = {"local": "local/smollm2-135m-instruct"}
_LONGEST_ID = 256
# Bare names that say plainly whose they are.
_WELL_KNOWN = (
    ("openai", re.compile(r"gpt-|o\d|chatgpt-")),
    ("anthropic", re.compile(r"claude-")),
    ("google", re.compile(r"gemini-")),
)


class Runtime:
    """Finds models by id and owns what they share. Belongs to one event loop; close it when done.

    settings: as read from headrace.toml and the environment where they are not given. on_pull: told, from a
    thread, how far the download is that the first use of a local model began.
    Raises: ConfigError for an alias that leads nowhere.
    """

    def __init__(self, settings: Settings | None = None, *, on_pull: PullProgress | None = None) -> None:
        self.settings = load_config() if settings is None else settings
        self.aliases = {**DEFAULT_ALIASES, **self.settings.aliases}
        self._rows: dict[str, ProviderRow] = provider_rows(self.settings)
        self._simulated = {model.card.id: model for model in simulated_models()}
        self._on_pull = on_pull
        self._local: LocalModels | None = None
        self._pool: HttpPool | None = None
        self._closed = False
        self._check_aliases()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every stream, stop the local engines, close the connections."""
        self._closed = True
        pool, self._pool = self._pool, None
        try:
            if self._local is not None:
                await self._local.aclose()
        finally:
            if pool is not None:
                await pool.aclose()

    def resolve(self, model_id: str) -> Model:
        """The model of that id or alias. Nothing is connected or loaded yet.

        Raises: UnknownModel where nothing answers to it, naming what comes near.
        """
        if self._closed:
            raise RequestError("this runtime is closed", code="closed")
        full = self._unalias(model_id)
        owner, _, name = full.partition("/")
        if not name:
            raise self._unknown(model_id)
        if owner == "sim":
            found: Model | None = self._simulated.get(full)
        elif owner == "local":
            found = self.local.get(name)
        else:
            row = self._rows.get(owner)
            found = provider_model(row, name, self.pool) if row is not None else None
        if found is None:
            raise self._unknown(model_id)
        return found

    def models(self) -> list[ModelCard]:
        """What can be named without asking anybody: local, simulated, configured, and aliases' targets."""
        cards = [*self.local.models(), *(model.card for model in self._simulated.values())]
        for owner, row in self._rows.items():
            cards += [ModelCard(id=f"{owner}/{name}", owner=owner) for name in row.models]
        names = self._names()
        known = {card.id for card in cards}
        cards += [ModelCard(id=id, owner=id.partition("/")[0]) for id in names if id not in known]
        return [_with_aliases(card, tuple(names.get(card.id, ()))) for card in cards]

    async def offered(self, provider: str) -> list[ModelCard]:
        """What that provider has now, by its own list.

        Raises: RequestError for a provider that is not known, and what asking it raises (see
        `headrace.providers.listing`).
        """
        row = self._rows.get(provider)
        if row is None:
            near = difflib.get_close_matches(provider, self._rows, n=2, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else "`headrace models --all` lists them"
            raise RequestError(
                f"no provider is called {excerpt(provider, _LONGEST_ID)!r}: {hint}",
                field="provider",
                value=provider,
            )
        names = self._names()
        cards = await list_models(row, self.pool)
        return [_with_aliases(card, tuple(names.get(card.id, ()))) for card in cards]

    @property
    def default_model(self) -> str:
        """What answers where nobody names a model: the alias `default` where there is one, else `local`."""
        return "default" if "default" in self.aliases else "local"

    def troubles(self) -> dict[str, str]:
        """Local model id -> what is known to be wrong with it, without asking. It names no folder."""
        if self._local is None:
            return {}
        from headrace.runners.shown import without_folders  # only where local models are in use

        return {id: without_folders(trouble) for id, trouble in self._local.troubles().items()}

    def providers(self) -> list[ProviderRow]:
        """The places that can be asked as PROVIDER/NAME, built in and configured."""
        return list(self._rows.values())

    @property
    def local(self) -> LocalModels:
        """The local models, their engines and their store: imported and made on first use."""
        if self._local is None:
            from headrace.runners.local import LocalModels

            self._local = LocalModels(self.settings, on_pull=self._on_pull)
        return self._local

    @property
    def pool(self) -> HttpPool:
        """The connections, made on first use inside the running loop."""
        if self._pool is None:
            self._pool = HttpPool()
        return self._pool

    def _names(self) -> dict[str, list[str]]:
        """Model id -> its short names."""
        names: dict[str, list[str]] = {}
        for alias in self.aliases:
            names.setdefault(self._unalias(alias), []).append(alias)
        return names

    def _unalias(self, model_id: str) -> str:
        seen = {model_id}
        while (target := self.aliases.get(model_id)) is not None and target not in seen:
            seen.add(target)
            model_id = target
        return model_id

    def _check_aliases(self) -> None:
        """An alias that leads nowhere is found now, not when somebody asks for it."""
        for alias in self.settings.aliases:
            target = self._unalias(alias)
            owner, _, name = target.partition("/")
            if self.aliases.get(target) is not None:
                why = f"goes in a circle: {alias} -> {self.aliases[alias]}"
            elif not name:
                why = f"stands for {target!r}, which is no model id: write PROVIDER/NAME"
            elif owner not in self._rows and not self._here(owner, name):
                why = f"stands for {target!r}, which nothing answers to"
            else:
                continue
            source = self.settings.source
            line = line_in(source, ("aliases", alias))
            where = f"{source}, line {line}: " if source else ""
            field = f"aliases.{alias}"
            raise ConfigError(f"{where}the alias {alias!r} {why}", source=source, line=line, field=field)

    def _here(self, owner: str, name: str) -> bool:
        if owner == "sim":
            return f"sim/{name}" in self._simulated
        known = name in self.settings.local or any(row.name == name for row in weights.ROWS)
        return owner == "local" and known

    def _unknown(self, model_id: str) -> UnknownModel:
        shown = excerpt(model_id, _LONGEST_ID)
        message = f"no model is called {shown!r}: {self._hint(shown)}"
        return UnknownModel(message, field="model", value=shown)

    def _hint(self, asked: str) -> str:
        owner, slash, name = asked.partition("/")
        if slash and not name and owner in self._rows:
            return f"the name after {owner}/ is missing"
        known = [card.id for card in self.models()] + list(self.aliases)
        near = difflib.get_close_matches(asked, known, n=3, cutoff=0.6)
        if not near and slash:
            owners = difflib.get_close_matches(owner, self._rows, n=2, cutoff=0.6)
            near = [f"{each}/{name}" for each in owners]
        if not near and not slash:
            near = [f"{place}/{asked}" for place, looks in _WELL_KNOWN if looks.match(asked)]
        if near:
            return f"did you mean {' or '.join(near)}?"
        return "a model id is local/NAME, sim/NAME or PROVIDER/NAME, and `headrace models` lists them"


def _with_aliases(card: ModelCard, aliases: tuple[str, ...]) -> ModelCard:
    if not aliases:
        return card
    return msgspec.structs.replace(card, aliases=aliases)


_runtimes = PerLoop(Runtime)


def runtime_here() -> Runtime:
    """The running loop's own runtime, made on first use and closed when the loop shuts down.

    Raises: RuntimeError outside a running loop.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "there is no running event loop: call this inside async code, or use headrace.stream_sync"
        ) from None
    return _runtimes.here()
