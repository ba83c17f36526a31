"""CPU time and memory of a process and its children, read from the Linux kernel."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

CPUCLOCK_SCHED = 2  # linux/posix-timers.h: the clock that counts time on a CPU, in nanoseconds


def family(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for member in found:
        for listing in Path(f"/proc/{member}/task").glob("*/children"):
            found += [int(child) for child in listing.read_text().split()]
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, that a process and its living descendants have used so far.

    The kernel's per-process CPU clock counts what utime + stime of /proc/<pid>/stat count, in nanoseconds
    instead of ticks of 10 ms. Linux only.
    """
    return sum(time.clock_gettime((~member << 3) | CPUCLOCK_SCHED) for member in family(pid))


def ticked_cpu_s(pid: int) -> float:
    """The same from utime + stime of /proc/<pid>/stat, in whole ticks: the check on `cpu_s`."""
    ticks = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def waited_s(pid: int) -> float:
    """Seconds that the threads of one process could have run and had no core: where it is much, whatever else
    ran on the machine is in its delays (run_delay of /proc/<pid>/task/*/schedstat, in ns)."""
    listings = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(listing.read_text().split()[1]) for listing in listings) / 1e9


def rss_bytes(pid: int) -> int:
    """Resident memory of a process and its living descendants, from /proc/<pid>/status."""
    return sum(_status_kib(member, "VmRSS:") for member in family(pid)) * 1024


def pss_bytes(pid: int) -> int:
    """The same with each shared page divided among those that share it, from /proc/<pid>/smaps_rollup."""
    total_kib = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total_kib += int(line.split()[1])
    return total_kib * 1024


def forget_peak(pid: int) -> None:
    """Count the peak of a process's resident memory from here on (5 to /proc/<pid>/clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_rss_bytes(pid: int) -> int:
    """The most resident memory that one process has had since `forget_peak`, else ever."""
    return _status_kib(pid, "VmHWM:") * 1024


def open_files(pid: int) -> int:
    """Open file descriptors of one process."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    """Threads of one process."""
    return len(os.listdir(f"/proc/{pid}/task"))


def allow_open_files() -> int:
    """Raise this process's soft limit of open files to the hard one; children inherit it. Returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _status_kib(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    return 0
