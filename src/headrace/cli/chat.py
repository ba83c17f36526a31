"""`headrace chat`: one question, a pipe, or a conversation."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click
import msgspec

from headrace.cli import piped
from headrace.cli.answer import Printer, answer
from headrace.cli.candidates import model_ids
from headrace.cli.conversation import Conversation
from headrace.cli.pulling import prepare
from headrace.cli.session import Session, keep_history
from headrace.cli.standard import as_text
from headrace.core.request import PRESETS, GenerationSettings, PresetName, ResponseFormat
from headrace.dispatch.runtime import Runtime


@click.command("chat")
@click.argument("prompt", required=False)
@click.option(
    "-m",
    "--model",
    default="local",
    show_default=True,
    shell_complete=model_ids,
    help="A model id or an alias.",
)
@click.option("-s", "--system", default="", help="The system message.")
@click.option("--max-tokens", type=click.IntRange(1), help="End the answer after so many tokens.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="0 is the likeliest, 2 the wildest.")
@click.option("--seed", type=int, help="The same seed gives the same answer, where the model can.")
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Settings to begin with.")
@click.option(
    "--json-schema",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Answer with JSON of the schema in this file.",
)
@click.option(
    "--stdin/--no-stdin",
    default=None,
    help="Wait for standard input however long it takes, or never read it.",
)
@click.option("--no-stats", is_flag=True, help="Do not print the speed after an answer.")
def command(
    prompt: str | None,
    model: str,
    system: str,
    max_tokens: int | None,
    temperature: float | None,
    seed: int | None,
    preset: PresetName | None,
    json_schema: Path | None,
    stdin: bool | None,
    no_stats: bool,
) -> None:
    """Talk to a model: one question, a pipe, or a conversation.

    With a PROMPT, or something piped in, or both (the prompt first), it answers once. With neither, at a
    terminal, it holds a conversation. The answer goes to stdout, its speed and any warning to stderr.

    Beside a PROMPT, a pipe has 3 seconds to bring its first byte or its end; a silent one is then left
    alone, with a warning. --stdin waits for it (a PROMPT of `-` too), --no-stdin does not look, as in a
    loop that reads lines. Without a PROMPT the pipe is the prompt, and is waited for.

    \b
    Examples:
      headrace chat "Why is the sky blue?"
      headrace chat --model openai/gpt-4o-mini --temperature 0 "Name three rivers"
      cat notes.txt | headrace chat "Summarise this:"
      slow-report | headrace chat --stdin "What went wrong?"
      headrace chat --json-schema person.json "Ada, 36, from London"
      headrace chat
    """
    settings = _settings(preset, max_tokens, temperature, seed)
    model = as_text(model)
    conversation = Conversation(model, as_text(system), settings, _schema(json_schema))
    text = _text(prompt, stdin)
    if not text and not sys.stdin.isatty():
        raise click.UsageError("there is nothing to ask: give a PROMPT, or pipe it in")
    # What goes wrong in a local model becomes the error; its log record would say the same once more.
    logging.getLogger("headrace.runners").addHandler(logging.NullHandler())
    runtime = Runtime()
    with asyncio.Runner() as runner:
        try:
            if text:
                prepare(runtime, runner, model)
                request = conversation.asking(text)
                runner.run(answer(runtime, request, Printer(), stats=not no_stats))
            else:
                _converse(conversation, runtime, runner, stats=not no_stats)
        finally:
            runner.run(runtime.aclose())


def _converse(conversation: Conversation, runtime: Runtime, runner: asyncio.Runner, *, stats: bool) -> None:
    import platformdirs

    state = Path(platformdirs.user_state_dir("headrace", appauthor=False))
    write_history = keep_history(state / "chat_history")
    try:
        Session(conversation, runtime, runner, stats=stats).run()
    finally:
        write_history()


def _settings(
    preset: PresetName | None, max_tokens: int | None, temperature: float | None, seed: int | None
) -> GenerationSettings:
    given = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
    changed = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(PRESETS[preset] if preset else GenerationSettings(), **changed)


def _schema(file: Path | None) -> ResponseFormat | None:
    if file is None:
        return None
    try:
        schema = msgspec.json.decode(file.read_bytes(), type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise click.UsageError(f"--json-schema {file}: {error}") from error
    return ResponseFormat("json_schema", name=file.stem, schema=schema, strict=True)


def _text(prompt: str | None, stdin: bool | None) -> str:
    """The prompt, then what is on stdin; "" where there is neither."""
    if prompt == "-":
        prompt, stdin = None, True
    given = "" if stdin is False else _given(prompt, stdin)
    return "\n\n".join(part for part in (as_text(prompt or ""), given) if part)


def _given(prompt: str | None, stdin: bool | None) -> str:
    if stdin:
        return piped.read_stdin()
    if prompt:
        return piped.read_beside_prompt(piped.WAIT_S)
    return piped.read_stdin() if piped.is_piped() else ""
