"""The llama.cpp engine (through xllamacpp): any .gguf, in the worker process only."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import msgspec

from headrace.core.chunk import Chunk, Finish, Terminal, Token, UsageReport
from headrace.core.usage import Usage
from headrace.errors import RequestError, RunnerError
from headrace.runners.base import Emit, Facts, Wedged
from headrace.runners.llama_job import Job
from headrace.runners.llama_link import Refused, ask, events, refusal_error
from headrace.runners.llama_reply import Segment, Segments, ending, share
from headrace.runners.llama_write import ReplyWriter

_SCHEMAS_KEPT = 256  # verdicts on schemas already tried; one is a hash and a bool
_BATCH_TOKENS = 16  # a prompt is read in steps of so many: between two of them a cancel is seen


class LlamaEngine:
    """One .gguf behind llama.cpp's own scheduler: `parallel` replies at once, each with the whole context."""

    def __init__(self) -> None:
        self._server: Any = None
        self._path = ""
        self._schemas: dict[str, bool] = {}
        self._compile_s = 0.0

    def load(self, options: dict[str, Any], /) -> Facts:
        """options: path, socket_path, n_ctx (of one slot; 0: the model's), threads, parallel, compile_s."""
        try:
            import xllamacpp
        except ImportError as error:
            raise RunnerError(
                f"the local engine is not installed ({error}): pip install 'headrace[local]'",
                code="E404",
                recoverable=False,
            ) from error
        began_s = time.monotonic()
        params = xllamacpp.CommonParams()
        self._set(params, options)
        # In small steps on a processor the plain attention is the quicker one (see docs/decisions, workers).
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            name = os.path.basename(options["path"])
            raise RunnerError(f"llama.cpp cannot load {name}: {error}", code="E502") from error
        self._path, self._compile_s = options["socket_path"], options["compile_s"]
        return Facts(options["parallel"], options["n_ctx"], time.monotonic() - began_s)

    def _set(self, params: Any, options: dict[str, Any]) -> None:
        params.model.path = options["path"]
        params.n_parallel = options["parallel"]
        params.n_ctx = options["n_ctx"] * options["parallel"]  # the engine divides it among its slots
        params.n_batch = params.n_ubatch = _BATCH_TOKENS
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options["threads"]
        params.cpuparams.poll = params.cpuparams_batch.poll = 0  # idle threads sleep
        params.hostnames = [options["socket_path"]]
        params.n_threads_http = options["parallel"] + 2  # a connection each, and short questions beside them
        params.ui = False
        params.cache_ram_mib = 0  # no second store of old prompts in memory
        params.fit_params = False  # the context is what we said, not what happens to fit
        params.verbosity = 1  # errors only: they go to stderr, which the parent keeps for its own errors

    async def run(self, job: dict[str, Any], emit: Emit, /) -> Terminal:
        plan = msgspec.convert(job, Job)
        try:
            if plan.count:
                return await self._count(plan, emit)
            body = dict(plan.body)
            if plan.schema is not None:
                body["json_schema"] = plan.schema
                await self._try_schema(plan)
            body["prompt"] = await self._prompt(plan)
            return await self._stream(plan, body, emit)
        except Refused as refused:
            raise refusal_error(refused, plan.schema_field) from refused

    async def _prompt(self, plan: Job) -> str:
        told = await ask(self._path, "/apply-template", {"messages": plan.messages})
        return str(told["prompt"])

    async def _count(self, plan: Job, emit: Emit) -> Terminal:
        """The prompt's tokens, as the engine cuts one that it is to complete."""
        question = {"content": await self._prompt(plan), "add_special": True}
        told = await ask(self._path, "/tokenize", question)
        await emit([UsageReport(Usage(len(told["tokens"])))])
        return Finish()

    async def _stream(self, plan: Job, body: dict[str, Any], emit: Emit) -> Terminal:
        segments = Segments(plan.top)
        writer = ReplyWriter(plan)
        async with aclosing(events(self._path, "/completion", body)) as source:
            async for event in source:
                if event.get("stop"):
                    return await self._finish(event, segments, writer, emit)
                segment = segments.feed(event)
                if segment is None:
                    await emit(())  # a step of the prompt was read, or text is held back: it is at work
                else:
                    await emit(writer.write(segment.text, await self._tokens(segment)))
        raise RunnerError("the engine ended without saying how")

    async def _finish(
        self, event: dict[str, Any], segments: Segments, writer: ReplyWriter, emit: Emit
    ) -> Terminal:
        chunks: list[Chunk] = []
        rest = segments.rest(event)
        if rest:
            ids = [entry.id for entry in rest if entry.id != -1]
            told = await ask(self._path, "/detokenize", {"tokens": ids})
            # What is left of a character whose last bytes never came is no text.
            segment = Segment(told["content"].rstrip("\ufffd"), rest)
            if segment.text:
                chunks += writer.write(segment.text, await self._tokens(segment))
        closing, terminal = writer.end(*ending(event))
        await emit(chunks + closing)
        return terminal

    async def _tokens(self, segment: Segment) -> tuple[Token, ...]:
        if len(segment.entries) == 1:
            return share(segment, ())
        question = {"content": segment.text, "with_pieces": True, "add_special": False}
        told = await ask(self._path, "/tokenize", question)
        return share(segment, [(token["id"], _bytes(token["piece"])) for token in told["tokens"]])

    async def _try_schema(self, plan: Job) -> None:
        """Raises RequestError where the engine cannot hold an answer to the schema.

        It does not say so itself: a schema it cannot compile is dropped in silence. So it is asked for one
        token with a strong pull towards a letter that no JSON begins with: only a schema at work resists.
        """
        key = json.dumps(plan.schema)
        if key not in self._schemas:
            letter = await ask(self._path, "/tokenize", {"content": "Z", "add_special": False})
            trial = {
                "prompt": [letter["tokens"][0]],
                "n_predict": 1,
                "temperature": 0,
                "logit_bias": [[letter["tokens"][0], 1000.0]],
                "json_schema": plan.schema,
                "cache_prompt": False,
            }
            answer = await self._in_time(ask(self._path, "/completion", trial), plan.schema_field)
            while len(self._schemas) >= _SCHEMAS_KEPT:
                del self._schemas[next(iter(self._schemas))]
            self._schemas[key] = answer["content"] != "Z"
        if not self._schemas[key]:
            raise RequestError(
                "the local engine cannot hold an answer to this JSON schema", field=plan.schema_field
            )

    async def _in_time(self, compiling: Coroutine[Any, Any, Any], field: str) -> Any:
        """The trial's answer. The compiler is native code that hears no cancel: it is waited for, so long."""
        trial = asyncio.ensure_future(compiling)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._compile_s
        try:
            await asyncio.wait({trial}, timeout=self._compile_s)
        except asyncio.CancelledError:
            await asyncio.wait({trial}, timeout=until_s - loop.time())
            if trial.done():
                trial.exception()  # nobody wants to know any more
                raise
        if not trial.done():
            trial.cancel()
            text = f"the local engine did not compile the JSON schema in {self._compile_s:g} s"
            raise Wedged(RequestError(text, field=field))
        return trial.result()

    async def health(self) -> str:
        try:
            async with asyncio.timeout(5):
                await ask(self._path, "/tokenize", {"content": "ok"})
        except (OSError, TimeoutError, Refused, RunnerError) as error:
            return f"the engine does not answer: {error}"
        return ""


def _bytes(piece: str | list[int]) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)
