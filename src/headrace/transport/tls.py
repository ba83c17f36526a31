"""TLS as every request uses it: verification is always on."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

from headrace.transport.failures import BadCaFile


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """The context for one set of authorities: the system's (or SSL_CERT_FILE's), or only `ca_file`'s.

    Contexts are costly (megabytes of certificates), so equal questions share one.
    Raises: BadCaFile where the file cannot be read or holds no certificate.
    """
    try:
        return _made(ca_file, os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
    except OSError as error:  # ssl.SSLError is one
        why = error.strerror or "it holds no certificate"
        raise BadCaFile(f"ca_file {ca_file} cannot be used: {why}") from error


@lru_cache(maxsize=16)
def _made(ca_file: str, _system_file: str, _system_dir: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    context.set_alpn_protocols(["http/1.1"])
    return context
