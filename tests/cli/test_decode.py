"""`headrace decode`: chunks or final objects, from files and pipes, framed or not."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.recorded import CALL, ERROR, HELLO, lines, sse
from tests.wire import recordings
from tests.wire.test_recordings import JUDGES

from headrace.cli.main import headrace
from headrace.framing.eventstream import encode_message

FINAL_HELLO = {
    "text": "Héllo\n",
    "reasoning": "",
    "tool_calls": [],
    "refusal": "",
    "finish_reason": "stop",
    "usage": {"input_tokens": 7, "output_tokens": 2},
    "error": None,
}


def decode(*args: str, stdin: bytes = b"", code: int = 0, wire: str = "openai_chat") -> list[dict]:
    argv = ["decode", "--wire", wire, *args]
    result = CliRunner().invoke(headrace, argv, input=stdin, standalone_mode=False)
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


def test_the_final_text_of_a_transcription_is_what_was_heard() -> None:
    kinds = ("transcript.text.delta", "transcript.text.done")
    heard = [{"type": kinds[0], "delta": "Héllo"}, {"type": kinds[1], "text": "Héllo"}]
    for stdin in (sse(heard, done=False), lines(heard)):
        (found,) = decode("--final", stdin=stdin, wire="openai_audio")
        assert (found["text"], found["finish_reason"], found["error"]) == ("Héllo", "stop", None)
    (cut,) = decode("--final", stdin=lines(heard[:1]), wire="openai_audio")
    assert (cut["text"], cut["error"]["kind"]) == ("Héllo", "truncated")


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


@pytest.mark.parametrize("framing", ["auto", "eventstream"])
def test_amazons_binary_stream_is_read(framing: str) -> None:
    events = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hé"}}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": {"inputTokens": 7, "outputTokens": 2, "totalTokens": 9}}),
    ]
    binary = b"".join(
        encode_message({":message-type": "event", ":event-type": name}, json.dumps(body).encode())
        for name, body in events
    )
    (found,) = decode("--final", "--framing", framing, stdin=binary, wire="bedrock")
    assert (found["text"], found["error"]) == ("Hé", None)
    assert found["usage"] == {"input_tokens": 7, "output_tokens": 2}


@pytest.mark.recordings
@pytest.mark.parametrize("wire", JUDGES)
def test_every_recorded_file_is_read_as_it_lies(wire: str) -> None:
    files = [file for file in recordings.files() if recordings.spoken_in(file) == wire]
    if not files:
        pytest.skip(recordings.ABSENT)
    found = decode("--final", *(str(recordings.RECORDINGS / file) for file in files), wire=wire)
    bad = [file for file, final in zip(files, found, strict=True) if final["error"]]
    assert bad == sorted([*JUDGES[wire].fails, *filter(recordings.is_refusal, files)])
