"""`headrace convert`: what goes out is the other protocol's, means the same, and what does not is said."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.recorded import CALL, ERROR, HELLO, lines, sse
from tests.wire.test_conformance import CASES

from headrace.cli.convert import Conversion
from headrace.cli.main import headrace, run
from headrace.core.chunk import Failure, Finish
from headrace.core.fold import fold
from headrace.core.reply import Reply
from headrace.testing import stages
from headrace.testing.conformance import Said, WireCase
from headrace.wire import FRONTS, WIRES, front_named, reader_of, wire_named

WORDS = [name for name in FRONTS if name != "openai_audio_speech"]
NOTHING: tuple[Any, ...] = ("", (), [], b"", False, None)


def converted(*args: str, stdin: bytes = b"", code: int = 0) -> Result:
    args = ("convert", "--from", "openai_chat", *args)
    result = CliRunner().invoke(headrace, args, input=stdin, standalone_mode=False)
    assert result.exception is None, result.output
    assert result.return_value == code
    return result


def heard(wire: str, data: bytes) -> Reply:
    return fold(stages.run(wire_named(wire).decoder(), [[data]]))


def words(reply: Reply) -> str:
    return reply.text or reply.candidates[0].transcript


def convert(wire: str, data: bytes, to: str) -> tuple[bytes, list[str]]:
    conversion = Conversion(to)
    out = conversion.feed(stages.run(wire_named(wire).decoder(), [[data]]))
    return out, conversion.losses()


# --- what goes out


def test_every_front_has_its_name_and_every_wire_that_has_one_is_named() -> None:
    assert all(front_named(name).content_type for name in FRONTS)
    own = [wire for wire in WIRES if wire_named(wire).front is not None]
    assert [
        wire for wire in own if wire not in FRONTS or front_named(wire) is not wire_named(wire).front
    ] == []


@pytest.mark.parametrize("to", WORDS)
def test_the_answer_is_the_same_in_every_protocol(to: str) -> None:
    result = converted("--to", to, stdin=sse(HELLO))
    wire = reader_of(to)
    reply = heard(wire.name, result.stdout_bytes)
    assert words(reply) == "Héllo\n"
    assert isinstance(reply.terminal, Finish)
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 2)


def test_it_reads_every_framing(tmp_path: Path) -> None:
    out = converted("--to", "anthropic", stdin=sse(HELLO)).stdout
    assert converted("--to", "anthropic", stdin=lines(HELLO)).stdout == out
    assert converted("--to", "anthropic", stdin=json.dumps(HELLO).encode()).stdout == out
    assert (
        converted("--to", "anthropic", "--framing", "array", stdin=json.dumps(HELLO).encode()).stdout == out
    )
    (tmp_path / "a").write_bytes(sse(HELLO))
    assert converted("--to", "anthropic", str(tmp_path / "a"), "-", stdin=sse(HELLO)).stdout == out * 2


WHOLE: dict[str, Any] = {
    "openai_chat": lambda body: body["choices"][0]["message"]["content"],
    "openai_completions": lambda body: body["choices"][0]["text"],
    "openai_responses": lambda body: body["output"][0]["content"][0]["text"],
    "anthropic": lambda body: body["content"][0]["text"],
    "gemini": lambda body: body["candidates"][0]["content"]["parts"][0]["text"],
    "ollama": lambda body: body["message"]["content"],
    "ollama_generate": lambda body: body["response"],
    "tgi": lambda body: body[0]["generated_text"],
    "cohere": lambda body: body["message"]["content"][0]["text"],
    "bedrock": lambda body: body["output"]["message"]["content"][0]["text"],
    "ui_messages": lambda body: body["parts"][-1]["text"],
}


@pytest.mark.parametrize("to", WHOLE)
def test_a_whole_body_is_the_other_protocols(to: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(sse(HELLO))
    result = converted("--to", to, "--final", str(tmp_path / "a"), str(tmp_path / "a"))
    bodies = [json.loads(line) for line in result.stdout.splitlines()]
    assert [WHOLE[to](body) for body in bodies] == ["Héllo\n"] * 2


def test_through_the_shell_and_back_it_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "call.sse").write_bytes(sse([*CALL, *HELLO[-1:]]))
    own = f"{shlex.quote(sys.executable)} -m headrace"
    there = f"{own} convert --from openai_chat --to anthropic call.sse"
    back = f"{own} convert --from anthropic --to openai_chat -e"
    final = f"{own} decode --wire openai_chat --final"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{there} | {back} | {final}; {final} call.sse"],
        cwd=tmp_path, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    crossed, direct = done.stdout.splitlines()
    assert json.loads(crossed) == json.loads(direct)
    assert json.loads(direct)["tool_calls"] == [{"id": "t1", "name": "add", "arguments": '{"a":1}'}]


# --- what goes wrong


@pytest.mark.parametrize("to", WORDS)
def test_an_error_is_the_other_protocols_own(to: str) -> None:
    result = converted("--to", to, "-e", stdin=sse(ERROR, done=False), code=1)
    wire = reader_of(to)
    reply = heard(wire.name, result.stdout_bytes)
    assert reply.failure is not None
    assert words(reply) == "Hi"
    assert "overloaded" in reply.failure.message
    whole = converted("--to", to, "--final", stdin=sse(ERROR, done=False))
    failure = wire.failure(500, {"content-type": "application/json"}, whole.stdout_bytes, "place")
    assert "overloaded" in failure.message


def test_what_a_protocol_cannot_say_at_all_is_its_error() -> None:
    for final in ((), ("--final",)):
        result = converted("--to", "openai_audio_speech", "-e", *final, stdin=sse(HELLO), code=1)
        assert json.loads(result.stdout)["error"]["code"] == "no_sound"
        assert "openai_audio_speech has no place for text: left out" in result.stderr
    assert "it went out as a transcript" in converted("--to", "openai_audio", stdin=sse(HELLO)).stderr


def test_a_cut_stream_is_never_a_success() -> None:
    result = converted("--to", "anthropic", "-e", stdin=sse(HELLO[:3], done=False), code=1)
    assert b"message_stop" not in result.stdout_bytes
    reply = heard("anthropic", result.stdout_bytes)
    assert reply.text == "Héllo\n"
    assert reply.failure is not None
    assert "tells the kind of failure otherwise: truncated as unavailable" in result.stderr
    assert converted("--to", "anthropic", "-e", stdin=sse(HELLO)).stderr.count("kind of failure") == 0


def test_a_cancelled_answer_is_an_error() -> None:
    data = b'data: {"type":"response.completed","response":{"id":"r","status":"cancelled","output":[]}}\n\n'
    args = ["convert", "--from", "openai_responses", "--to", "openai_chat"]
    for final in ([], ["--final"]):
        out = CliRunner().invoke(headrace, [*args, *final], input=data).stdout
        assert "was cancelled" in out
        assert '"finish_reason":"stop"' not in out


@pytest.mark.parametrize("to", FRONTS)
@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 99, b"{", b"[1, 2]\n", b"<html>"])
def test_what_is_no_stream_is_one_error(to: str, data: bytes) -> None:
    result = converted("--to", to, "-e", stdin=data, code=1)
    assert isinstance(stages.run(reader_of(to).decoder(), [[result.stdout_bytes]])[-1], Failure)
    assert json.loads(converted("--to", to, "--final", stdin=data).stdout)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--from", "fax", "--to", "gemini"], "'fax' is not one of 'openai_chat'"),
        (["--from", "gemini", "--to", "fax"], "'fax' is not one of 'openai_chat'"),
        (["--from", "gemini"], "Missing option '--to'"),
        (["--from", "gemini", "--to", "tgi", "no-such-file"], "'no-such-file' does not exist"),
    ],
)
def test_asked_wrongly_is_one_line(args: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", *args]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


# --- what has no place


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name or case.wire.name)
def test_to_itself_nothing_is_lost(case: WireCase) -> None:
    for sample in case.samples:
        own = next((name for name in FRONTS if front_named(name) is case.served), case.wire.name)
        assert convert(case.wire.name, sample.body, own)[1] == []


def meant(arguments: str) -> str:
    try:
        return repr(json.loads(arguments))
    except ValueError:
        return arguments  # what the model broke off


# What a warning calls a thing -> how a test looks at it: what is falsy is not there.
SEEN: dict[str, Callable[[Said], Any]] = {
    "text": lambda said: said.text,
    "reasoning": lambda said: said.reasoning,
    "a refusal": lambda said: said.refusal,
    "a transcript": lambda said: said.transcript,
    "tool calls": lambda said: sorted((name, meant(arguments)) for _, name, arguments in said.tool_calls),
    "images": lambda said: said.images,
    "sound": lambda said: said.sound,
    "tokens": lambda said: bool(said.tokens),
    "the finish reason": lambda said: said.finish_reason,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name or case.wire.name)
@pytest.mark.parametrize("to", WIRES)
def test_no_difference_goes_untold_and_none_is_made_up(case: WireCase, to: str) -> None:
    for sample in case.samples:
        out, told = convert(case.wire.name, sample.body, to)
        crossed = Said.by(heard(to, out))
        went_as_text = any(loss.endswith("went out as text") for loss in told)
        differs = {what for what, seen in SEEN.items() if seen(sample.said) not in (seen(crossed), *NOTHING)}
        starts = (f"{to} has no place for {{}}:", f"{to} tells {{}} otherwise")
        warned = {
            what
            for what in SEEN
            for start in starts
            if any(loss.startswith(start.format(what)) for loss in told)
        }
        assert warned == differs - ({"text"} if went_as_text else set()), sample.name


def test_what_has_no_place_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(sse([*CALL, *HELLO[-1:]]))
    result = converted("--to", "tgi", *[str(tmp_path / "a")] * 2)
    assert result.stderr.splitlines() == [
        "warning: tgi has no place for tool calls: left out",
        "warning: tgi tells the finish reason otherwise: tool_calls as stop",
        "warning: tgi has no place for the answer's id: left out",
        "warning: tgi has no place for the model's name: left out",
        "warning: tgi has no place for the time of creation: left out",
    ]


def test_nothing_is_said_where_nothing_is_lost() -> None:
    assert converted("--to", "openai_responses", stdin=sse(HELLO)).stderr == ""


def test_what_only_its_vendor_understands_is_named() -> None:
    anthropic = next(case for case in CASES if case.wire.name == "anthropic")
    rich = next(sample for sample in anthropic.samples if sample.name == "rich")
    told = convert("anthropic", rich.body, "openai_chat")[1]
    assert "only anthropic understands server_tool_use: left out" in told
    assert "only anthropic understands its signatures: left out" in told
