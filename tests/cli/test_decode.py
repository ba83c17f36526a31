"""`headrace decode`: chunks or final objects, from files and pipes, framed or not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from headrace.cli.main import headrace
from headrace.framing.eventstream import encode_message

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "recordings"
ID = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def event(delta: dict, finish: str | None = None) -> dict:
    return ID | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


USAGE = ID | {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
HELLO = [
    event({"role": "assistant", "content": ""}),
    event({"content": "Hé"}),
    event({"content": "llo\n"}),
    event({}, "stop"),
    USAGE,
]
CALL = [
    event(
        {
            "tool_calls": [
                {"index": 0, "id": "t1", "type": "function", "function": {"name": "add", "arguments": ""}}
            ]
        }
    ),
    event({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
    event({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
    event({}, "tool_calls"),
]
ERROR = [
    event({"content": "Hi"}),
    {"error": {"message": "overloaded", "type": "server_error", "code": "busy"}},
]
FINAL_HELLO = {
    "text": "Héllo\n",
    "reasoning": "",
    "tool_calls": [],
    "refusal": "",
    "finish_reason": "stop",
    "usage": {"input_tokens": 7, "output_tokens": 2},
    "error": None,
}


def sse(events: list[dict], done: bool = True) -> bytes:
    frames = [b"data: " + json.dumps(e).encode() + b"\n\n" for e in events]
    return b"".join([*frames, b"data: [DONE]\n\n" if done else b""])


def lines(events: list[dict]) -> bytes:
    return b"".join(json.dumps(e).encode() + b"\n" for e in events)


def decode(*args: str, stdin: bytes = b"", code: int = 0) -> list[dict]:
    result = CliRunner().invoke(
        headrace, ["decode", "--wire", "openai_chat", *args], input=stdin, standalone_mode=False
    )
    assert result.exception is None, result.output
    assert result.return_value == code
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_final_of_an_sse_file(tmp_path: Path) -> None:
    file = tmp_path / "hello.sse"
    file.write_bytes(sse(HELLO))
    assert decode("--final", str(file)) == [FINAL_HELLO]


def test_final_of_json_lines_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "hello.jsonl"
    file.write_bytes(lines(HELLO))
    assert decode("--final", str(file)) == [FINAL_HELLO]
    assert decode("--final", "--framing", "jsonl", str(file)) == [FINAL_HELLO]


@pytest.mark.parametrize("args", [(), ("-",)])
def test_standard_input(args: tuple[str, ...]) -> None:
    assert decode("--final", *args, stdin=sse(HELLO)) == [FINAL_HELLO]


def test_one_object_a_file_in_the_order_given(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(sse(HELLO))
    (tmp_path / "b").write_bytes(sse(CALL))
    both = decode("--final", str(tmp_path / "b"), str(tmp_path / "a"))
    assert [found["finish_reason"] for found in both] == ["tool_calls", "stop"]
    assert both[0]["tool_calls"] == [{"id": "t1", "name": "add", "arguments": '{"a":1}'}]
    assert both[0]["usage"] is None


def test_chunks_one_a_line(tmp_path: Path) -> None:
    chunks = decode(stdin=sse(HELLO))
    assert [chunk["type"] for chunk in chunks][:1] == ["start"]
    assert "".join(chunk["text"] for chunk in chunks if chunk["type"] == "text-delta") == "Héllo\n"
    assert chunks[-1]["type"] == "finish"


def test_an_error_inside_the_stream_is_data(tmp_path: Path) -> None:
    (found,) = decode("--final", stdin=sse(ERROR, done=False))
    assert (found["text"], found["finish_reason"]) == ("Hi", "error")
    assert "overloaded" in found["error"]["message"]
    assert found["error"]["code"] == "busy"
    assert decode("--final", "--exit-status", stdin=sse(ERROR), code=1)
    assert decode("-e", stdin=sse(HELLO), code=0)


def test_a_cut_stream_is_truncated_and_never_a_stop() -> None:
    (found,) = decode("--final", stdin=sse(HELLO[:3], done=False))
    assert found["text"] == "Héllo\n"
    assert found["finish_reason"] == "error"
    assert found["error"]["kind"] == "truncated"


@pytest.mark.parametrize(
    "data", [b"", b"not a stream\n", b"\x00\xff" * 99, b"{", b"[1, 2]\n", b"data: {\n\n"]
)
def test_what_is_no_stream_ends_in_one_failure(data: bytes) -> None:
    (found,) = decode("--final", stdin=data)
    assert found["error"] is not None
    assert found["text"] == ""
    assert [chunk["type"] for chunk in decode(stdin=data)] == ["failure"]


def test_a_pipe_is_decoded_while_it_fills() -> None:
    argv = [sys.executable, "-m", "headrace", "decode", "--wire", "openai_chat"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sse(HELLO[:2], done=False))
        process.stdin.flush()
        kinds = []
        while "text-delta" not in kinds:  # printed although standard input is still open
            kinds.append(json.loads(process.stdout.readline())["type"])
        process.stdin.write(sse(HELLO[2:]))
        process.stdin.close()
        assert json.loads(process.stdout.read().splitlines()[-1])["type"] == "finish"
    assert process.returncode == 0


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "long.sse"
    file.write_bytes(sse([event({"content": "x" * 50})] * 20_000))
    argv = [sys.executable, "-m", "headrace", "decode", "--wire", "openai_chat", str(file)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.recordings
@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings folder is not beside the project")
def test_every_recording_ends_well() -> None:
    files = sorted(str(path) for path in (RECORDINGS / "openai_chat").glob("*.sse"))
    found = decode("--final", *files)
    assert len(found) == len(files) > 0
    assert [name for name, final in zip(files, found, strict=True) if final["error"]] == []


@pytest.mark.parametrize("framing", ["auto", "jsonl", "sse"])
def test_amazons_binary_stream_and_its_lines_say_the_same(framing: str) -> None:
    events = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hé"}}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}}),
    ]
    binary = b"".join(
        encode_message({":message-type": "event", ":event-type": name}, json.dumps(body).encode())
        for name, body in events
    )
    for data in (binary, lines([{name: body} for name, body in events])):
        (found,) = decode("--wire", "bedrock", "--final", "--framing", framing, stdin=data)
        assert (found["text"], found["error"]) == ("Hé", None)
        assert found["usage"] == {"input_tokens": 7, "output_tokens": 2}


@pytest.mark.recordings
@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings folder is not beside the project")
@pytest.mark.parametrize(("wire", "folder"), [("cohere", "cohere"), ("bedrock", "amazon-bedrock")])
def test_recordings_kept_as_lines_are_read_by_their_wire(wire: str, folder: str) -> None:
    files = sorted(str(path) for path in (RECORDINGS / "json_lines" / folder).glob("*.jsonl"))
    for framing in ("auto", "jsonl"):
        found = decode("--wire", wire, "--final", "--framing", framing, *files)
        assert len(found) == len(files) > 0
        assert [final["error"] for final in found] == [None] * len(files)
