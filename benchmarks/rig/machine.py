"""What a figure was measured on: without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from benchmarks.rig.gateways import nginx_path

PACKAGES = ("headrace", "httptools", "msgspec", "openai", "tensorzero", "uvicorn", "uvloop")


class Machine(msgspec.Struct, frozen=True):
    """The machine and the versions of what ran on it.

    memory_bytes: physical. load_average: of the last minute, when the benchmark began; where it is not near
    zero, others were using the cores and times to the first token are theirs too.
    """

    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    load_average: float
    python: str
    versions: dict[str, str]


def this_machine() -> Machine:
    """The machine this runs on."""
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        kernel=platform.release(),
        load_average=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        versions={**_package_versions(), **_nginx_version()},
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _package_versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def _nginx_version() -> dict[str, str]:
    path = nginx_path()
    if path is None:
        return {"nginx": "absent"}
    said = subprocess.run([path, "-v"], capture_output=True, text=True, check=True).stderr
    return {"nginx": said.strip().rpartition("/")[2]}
