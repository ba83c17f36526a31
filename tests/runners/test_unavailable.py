"""A model that cannot be had: 503 for whoever asks, and no folder of this machine in the answer."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from tests.runners.hosting import asked, hosted
from tests.runners.keeping import Kept

from headrace.config.settings import LocalSettings, Settings
from headrace.core.chunk import Failure
from headrace.core.message import user
from headrace.core.request import Request
from headrace.errors import RunnerError
from headrace.runners.host import EngineHost
from headrace.runners.local import LocalModels
from headrace.runners.shown import without_folders


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("cannot load /home/ann/models/my.gguf", "cannot load my.gguf"),
        ("failed: '/srv/a b/my.gguf', sorry", "failed: 'my.gguf', sorry"),
        ("from /srv/a/my.gguf | then (/srv/b/other.gguf)", "from my.gguf | then (other.gguf)"),
        ('File "/usr/lib/python3/x.py", line 3', 'File "x.py", line 3'),
        ("no room in /var/lib/models: 5 bytes", "no room in models: 5 bytes"),
        ("path=/srv/a/b", "path=b"),
        ("~/models/my.gguf", "my.gguf"),
        ("C:\\models\\my.gguf is broken", "my.gguf is broken"),
        (
            "3 tokens/s, a/b, and https://example.org/a/b stay",
            "3 tokens/s, a/b, and https://example.org/a/b stay",
        ),
        ("/", "/"),
        ("", ""),
    ],
)
def test_folders_are_left_out(said: str, shown: str) -> None:
    assert without_folders(said) == shown


def test_it_is_linear() -> None:
    assert without_folders("/" * 100_000 + "a") == "a"
    assert without_folders("'/a " * 20_000).count("a") == 20_000


@pytest.mark.parametrize("load", ["fail", "exit"])
def test_a_failed_load_tells_the_log_all_and_the_reply_the_name(
    load: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(host: EngineHost) -> None:
        for attempt in range(3):  # the third is refused without a try
            with caplog.at_level(logging.WARNING, "headrace.runners"):
                kept = asked(host, say=1)
                await kept.done.wait()
            assert isinstance(kept.terminal, Failure), attempt
            assert (kept.terminal.code, kept.terminal.http_status) == ("E502", 503)
            assert "/srv/models" not in kept.terminal.message
            assert "my.gguf" in kept.terminal.message
        assert "/srv/models/my.gguf" in caplog.text
        with pytest.raises(RunnerError, match=r"/srv/models/my\.gguf"):  # this machine's own program may know
            await host.warm()

    hosted(work, load=load, path="/srv/models/my.gguf")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    async def run() -> None:
        models = LocalModels(Settings(local={"mine": LocalSettings(str(tmp_path / "none.gguf"))}))
        model = models.get("mine")
        assert models.troubles() == {}
        source = model.open(Request("local/mine", (user("hi"),))).source
        kept = Kept(source)
        source.start(kept)
        await kept.done.wait()
        assert isinstance(kept.terminal, Failure)
        assert kept.terminal.http_status == 503
        assert kept.terminal.message == "local.mine.path names no file: none.gguf"
        assert models.troubles() == {"local/mine": f"local.mine.path names no file: {tmp_path / 'none.gguf'}"}
        await models.aclose()

    pytest.importorskip("xllamacpp")
    asyncio.run(run())
