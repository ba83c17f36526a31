"""The gateways side by side, each with its own folder, port and process, stopped by its own handle."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

READY_S = 30.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway. prefix: what its users write before the model's own name."""

    name: str
    pid: int
    port: int
    path: str
    prefix: str = ""


Launch = Callable[[int], AbstractContextManager[Gateway]]

NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 256; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://up;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }}
  }}
}}
"""

HEADRACE = """
[providers.up]
wire = "openai_chat"
base_url = "http://127.0.0.1:{upstream}/v1"

[providers.openai_chat]
wire = "openai_chat"
base_url = "http://127.0.0.1:{upstream}/v1"

[providers.anthropic]
wire = "anthropic"
auth = "none"
base_url = "http://127.0.0.1:{upstream}/v1"

[providers.openai_responses]
wire = "openai_responses"
auth = "none"
base_url = "http://127.0.0.1:{upstream}/v1"
"""

TENSORZERO = """
[gateway]
disable_pseudonymous_usage_analytics = true
observability.enabled = false
"""

TENSORZERO_MODEL = """
[models."{model}"]
routing = ["up"]
[models."{model}".providers.up]
type = "openai"
model_name = "{model}"
api_base = "http://127.0.0.1:{upstream}/v1/"
api_key_location = "none"
"""


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(upstream: int) -> Iterator[Gateway]:
    """nginx with one worker: the bytes pass unread, which no gateway that reads them can undercut."""
    port = free_port()
    with TemporaryDirectory(prefix="bench-nginx-") as folder:
        config = Path(folder) / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, upstream=upstream, files=16384))
        command = [nginx_path() or "nginx", "-p", folder, "-c", str(config), "-e", f"{folder}/error.log"]
        with _running(command, Path(folder), port, signal.SIGQUIT) as (pid, port):
            yield Gateway("nginx", pid, port, "/v1/chat/completions")


@contextmanager
def headrace(
    upstream: int, name: str = "headrace", log: str = "", more: str = "", **streams: object
) -> Iterator[Gateway]:
    """`headrace serve`, the command as its users run it, relaying to the upstream as a provider.

    log: where its streams are kept, empty: where they are kept by default. more: other sections of its
    configuration. streams: of its section `[streams]`.
    """
    port = free_port()
    with TemporaryDirectory(prefix="bench-headrace-") as folder:
        config = Path(folder) / "headrace.toml"
        if log:
            streams = {"log": log, "path": f"{folder}/streams.db", **streams}
        kept = "".join(f"{field} = {json.dumps(value)}\n" for field, value in streams.items())
        config.write_text(f"{HEADRACE.format(upstream=upstream)}\n{more}\n[streams]\n{kept}")
        command = [sys.executable, "-m", "headrace", "serve", "--host", "127.0.0.1", "--port", str(port)]
        with _running([*command, "--config", str(config)], Path(folder), port, signal.SIGTERM) as (pid, port):
            yield Gateway(name, pid, port, "/v1/chat/completions", "up/")


def tensorzero(models: tuple[str, ...]) -> Launch:
    """TensorZero's gateway (Rust) out of its wheel; the models it may be asked for must be named before."""

    @contextmanager
    def launch(upstream: int) -> Iterator[Gateway]:
        with TemporaryDirectory(prefix="bench-tensorzero-") as folder:
            config = Path(folder) / "tensorzero.toml"
            rows = [TENSORZERO_MODEL.format(model=model, upstream=upstream) for model in models]
            config.write_text(TENSORZERO + "".join(rows))
            command = [sys.executable, "-m", "benchmarks.rig.tensorzero_host", str(config)]
            with _running(command, Path(folder), 0, signal.SIGTERM) as (pid, port):
                prefix = "tensorzero::model_name::"
                yield Gateway("tensorzero", pid, port, "/openai/v1/chat/completions", prefix)

    return launch


def nginx_path() -> str | None:
    """Where nginx is, or None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def present(models: tuple[str, ...]) -> Mapping[str, Launch]:
    """The gateways that can run on this machine, by name. What is absent is said aloud."""
    found: dict[str, Launch] = {}
    if nginx_path():
        found["nginx"] = nginx
    else:
        print("nginx is not installed: its rows and every ratio against it are left out", file=sys.stderr)
    found["headrace"] = headrace
    try:
        import tensorzero as _installed  # noqa: F401
    except ImportError:
        print("tensorzero is not installed (make bench installs it): its rows are left out", file=sys.stderr)
    else:
        found["tensorzero"] = tensorzero(models)
    return found


@contextmanager
def _running(command: list[str], folder: Path, port: int, stop: signal.Signals) -> Iterator[tuple[int, int]]:
    """The command as a process until the block ends; it must answer HTTP within `READY_S`.

    port: 0 where the process chooses its own and prints an address with it. Gives process id and port.
    """
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield process.pid, _await_ready(process, port, log)
        finally:
            process.send_signal(stop)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> int:
    deadline_s = time.monotonic() + READY_S
    while time.monotonic() < deadline_s and process.poll() is None:
        said = re.search(rb"serving http://127\.0\.0\.1:(\d+)", log.read_bytes())
        at = port or (int(said[1]) if said else 0)
        if at and _answers(at):
            return at
        time.sleep(0.05)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} did not come up on port {port}: {tail}")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
