"""TensorZero's HTTP gateway as a process: `python -m benchmarks.rig.tensorzero_host FILE`."""

from __future__ import annotations

import signal
import sys

from tensorzero.tensorzero import _start_http_gateway


def main() -> None:
    """Serve by the configuration file until a signal comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gateway = _start_http_gateway(
        config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
    )
    print("serving", gateway.base_url, flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
