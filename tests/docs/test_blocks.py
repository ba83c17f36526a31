"""Every block of Python and shell in the documents runs, as a program of its own in an empty folder.

Servers of this test stand where 127.0.0.1:6379 (Valkey), :8801 and :8802 (free ports) are written.
The local model is played by `sim/echo` (an alias in a headrace.toml), and port 8787 is a server of this test.
An HTML comment on the line before a block may say otherwise: `<!-- not run: WHY -->`. Blocks of JavaScript
run under Node, beside the packages of `tests/node`, and are skipped where those are missing.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.node.page import HERE, missing
from tests.store.servers import Server, valkey_server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
_FENCE = re.compile(r"(?:<!-- (?P<note>[^\n]*?) -->\n)?^```(?P<lang>\w*)\n(?P<code>.*?)^```", re.M | re.S)
RECORDING = ROOT / "tests" / "docs" / "recording.sse"
RUNNERS = {
    "python": [sys.executable, "-W", "error", "-c"],
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "js": ["node", "--input-type=module", "--eval"],
}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    lang: str
    code: str
    note: str


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start("code"))
            name = str(page.relative_to(ROOT))
            found.append(Block(name, line, match["lang"], match["code"], match["note"] or ""))
    return found


def runnable() -> list[object]:
    return [
        pytest.param(block, id=f"{block.page}:{block.line}")
        for block in blocks()
        if block.lang in RUNNERS and not block.note.startswith("not run:")
    ]


def test_every_block_has_a_known_language_and_every_exception_a_reason() -> None:
    odd = [
        f"{block.page}:{block.line}"
        for block in blocks()
        if block.lang not in (*RUNNERS, "jsx", "toml", "json", "text")
        or (block.lang == "jsx" and not block.note)
        or (block.note and not re.fullmatch(r"not run: .{5,}", block.note))
    ]
    assert odd == []


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "headrace.toml").write_text('[aliases]\nlocal = "sim/echo"\n')
    return home


@pytest.fixture(scope="module")
def env(place: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(place),
        "HEADRACE_HOME": str(place / "cache"),
        "HEADRACE_CONFIG": str(place / "headrace.toml"),
        "NO_COLOR": "1",
        "no_proxy": "*",
    }


@pytest.fixture(scope="module")
def port(env: dict[str, str]) -> Iterator[str]:
    argv = [sys.executable, "-m", "headrace", "serve", "--port", "0"]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        first = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        assert found, first
        yield found[1]
        server.terminate()
    assert server.returncode == 0


@pytest.fixture(scope="module")
def valkey() -> Iterator[Server]:
    with valkey_server() as server:
        yield server


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


@pytest.mark.parametrize("block", runnable())
def test_block(block: Block, env: dict[str, str], port: str, valkey: Server, tmp_path: Path) -> None:
    code = block.code.replace("127.0.0.1:8787", f"127.0.0.1:{port}")
    code = code.replace("redis://127.0.0.1:6379/0", valkey.url)
    code = code.replace("8801", free_port()).replace("8802", free_port())
    shutil.copy(RECORDING, tmp_path)
    if block.lang == "js":
        if missing():
            pytest.skip(missing())
        (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    done = subprocess.run(
        [*RUNNERS[block.lang], code],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
