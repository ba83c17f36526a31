"""`headrace serve`: where it listens, what it says, how it ends; a port in use, a bad line."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.metrics.test_otel import receiver


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "headrace.toml").write_text("")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HEADRACE_HOME": str(tmp_path / "home"),
        "HEADRACE_CONFIG": str(tmp_path / "headrace.toml"),
        "no_proxy": "*",
    }


def argv(*args: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "headrace", "serve", *args]


@contextmanager
def serving(*args: str, env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """The process, its base URL and the lines it printed before it was ready."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv("--port", "0", *args), env=env, text=True, **pipes) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            found = re.search(r"http://[\d.]+:\d+", lines[0])
            assert found, lines
            yield process, found[0], lines
        finally:
            if process.poll() is None:
                process.kill()


def ask(url: str, path: str, body: dict | None = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_it_says_where_it_listens_answers_and_ends_with_0(name: str, env: dict[str, str]) -> None:
    with serving(env=env) as (process, url, lines):
        assert f"{url}/v1" in lines[0]
        assert "sim/echo" in "".join(lines)
        assert ask(url, "/health")["status"] == "ok"
        messages = [{"role": "user", "content": "Hello"}]
        answer = ask(url, "/v1/chat/completions", {"model": "sim/echo", "messages": messages})
        assert answer["choices"][0]["message"]["content"] == "Hello"
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_curl_line_it_prints_works(env: dict[str, str]) -> None:
    env["HEADRACE_CONFIG"] = str(Path(env["HOME"]) / "echo.toml")
    Path(env["HEADRACE_CONFIG"]).write_text('[aliases]\nlocal = "sim/echo"\n')
    with serving(env=env) as (_, _, lines):
        line = lines[2].removeprefix("try: ")
        done = subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert "data: [DONE]" in done.stdout


def test_the_access_log_is_one_json_line_a_request(env: dict[str, str]) -> None:
    with serving("--access-log", env=env) as (process, url, _):
        ask(url, "/health")
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stderr is not None
        (line,) = process.stderr.read().splitlines()
        assert json.loads(line)["path"] == "/health"


def test_the_stream_log_is_one_json_line_an_answer(env: dict[str, str]) -> None:
    with serving("--stream-log", env=env) as (process, url, _):
        said = [{"role": "user", "content": "words of mine"}]
        ask(url, "/v1/chat/completions", {"model": "sim/echo", "messages": said})
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stderr is not None
        (line,) = process.stderr.read().splitlines()
        told = json.loads(line)
        assert (told["model"], told["outcome"], told["streamed"]) == ("sim/echo", "finished", False)
        assert "words of mine" not in line


def test_metrics_are_scraped(env: dict[str, str]) -> None:
    with serving(env=env) as (_, url, _):
        request = urllib.request.Request(url + "/metrics")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.read().endswith(b"# EOF\n")


def test_telemetry_goes_to_the_collector_that_is_configured(env: dict[str, str]) -> None:
    with receiver() as (collector, bodies):
        Path(env["HEADRACE_CONFIG"]).write_text(f'[telemetry]\notlp = "{collector}"\n')
        with serving(env=env) as (process, url, _):
            said = [{"role": "user", "content": "words of mine"}]
            ask(url, "/v1/chat/completions", {"model": "sim/echo", "messages": said})
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""
    assert set(bodies) == {"/v1/traces", "/v1/metrics"}
    assert not any(b"words of mine" in body for found in bodies.values() for body in found)


def refused(*args: str, env: dict[str, str]) -> str:
    done = subprocess.run(argv(*args), env=env, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("headrace: error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_port_in_use_is_one_line_and_2(env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port} on 127.0.0.1 is in use" in refused("--port", port, env=env)


BAD_LINES = {
    "a wrong type": ('[server]\nport = "high"\n', "line 2: server.port"),
    "an unknown field": ("[server]\n\nprot = 1\n", "line 3: server.prot"),
    "no TOML": ("[server\n", "line 1"),
    "an unknown wire": (
        '[providers.up]\nbase_url = "http://x/v1"\nwire = "morse"\n',
        "line 3: providers.up.wire",
    ),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_of_configuration_is_named(name: str, env: dict[str, str]) -> None:
    text, said = BAD_LINES[name]
    Path(env["HEADRACE_CONFIG"]).write_text(text)
    assert said in refused("--port", "0", env=env)


def test_a_file_that_is_not_there_is_named(env: dict[str, str]) -> None:
    assert "no-such.toml" in refused("--config", "no-such.toml", env=env)


def test_where_there_are_keys_one_is_needed_and_others_never_come_in_without(env: dict[str, str]) -> None:
    refused = subprocess.run(
        argv("--port", "0", "--host", "0.0.0.0"), env=env, capture_output=True, text=True, timeout=30
    )
    assert refused.returncode == 2
    assert "headrace keys new" in refused.stderr
    making = [sys.executable, "-m", "headrace", "keys", "new"]
    key = subprocess.run(making, env=env, capture_output=True, text=True, timeout=30).stdout.strip()
    with serving(env=env) as (_, url, lines):
        assert "Bearer YOUR_KEY" in lines[2]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(url, "/v1/models")
        assert "data" in ask(url, f"/v1/models?key={key}")
    with serving("--no-keys", env=env) as (_, url, _):
        assert "data" in ask(url, "/v1/models")


def test_nothing_is_promised_before_the_log_can_be_used(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("this is no database, whatever it is called")
    (tmp_path / "headrace.toml").write_text(f'[streams]\nlog = "sqlite"\npath = "{tmp_path}/no.db"\n')
    done = subprocess.run(argv("--port", "0"), env=env, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"headrace: error: the stream log .*no\.db cannot be used: .*\n", done.stderr)
