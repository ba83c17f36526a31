"""Two servers that share a Valkey: one makes a stream, the other reads it.

`python examples/two_nodes.py redis://127.0.0.1:6379/0 [MODEL]`
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from tempfile import TemporaryDirectory

CONFIG = '[streams]\nlog = "valkey"\nurl_env = "STREAMS_URL"\n'


def serve(env: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    """A server and its address."""
    argv = [sys.executable, "-m", "headrace", "serve", "--port", "0"]
    server = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)
    found = re.search(r"http://\S+", server.stdout.readline())
    if found is None:
        sys.exit("a server did not start")
    return server, found[0].removesuffix("/v1")


def asking(server: str, model: str) -> urllib.request.Request:
    """A request for a stream that goes on without its client."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Name a river."}]}
    headers = {"content-type": "application/json", "x-headrace-on-disconnect": "detach"}
    return urllib.request.Request(f"{server}/v1/chat/completions", json.dumps(body).encode(), headers)


def main(valkey_url: str, model: str) -> None:
    with TemporaryDirectory() as folder:
        config = os.path.join(folder, "headrace.toml")
        with open(config, "w") as file:
            file.write(CONFIG)
        env = {**os.environ, "HEADRACE_CONFIG": config, "STREAMS_URL": valkey_url}
        servers, (one, other) = zip(*(serve(env) for _ in range(2)), strict=True)
        try:
            with urllib.request.urlopen(asking(one, model)) as answer:
                id = answer.headers["x-headrace-stream-id"]
                print("begun on one server:", answer.readline().decode().strip())
            with urllib.request.urlopen(f"{other}/v1/streams/{id}?after=1") as answer:
                print("read on the other, from the second event on:", answer.read().decode(), sep="\n")
        finally:
            for server in servers:
                server.terminate()
                server.communicate()


if len(sys.argv) < 2:
    sys.exit("usage: python examples/two_nodes.py redis://HOST:PORT/0 [MODEL]")
main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "local")
