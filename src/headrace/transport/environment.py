"""Which proxy the environment asks for: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, in either case.

HTTP_PROXY in capitals is not read where REQUEST_METHOD is set (in CGI a client could set it). This machine
itself is never reached through a proxy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from headrace.errors import RequestError
from headrace.transport.url import Url, is_loopback


class ProxyRules:
    """The environment's wish as it was when this was made."""

    __slots__ = ("_proxies",)

    def __init__(self) -> None:
        self._proxies: Mapping[str, str] = {}
        if any(name[-6:].lower() == "_proxy" and value for name, value in os.environ.items()):
            from urllib.request import getproxies_environment  # 20 ms to import

            self._proxies = getproxies_environment()

    def proxy_for(self, url: Url) -> str:
        """The address of the proxy for `url`, empty for none.

        Raises: RequestError for a proxy that is not spoken to by HTTP (SOCKS).
        """
        if not self._proxies:
            return ""
        found = self._proxies.get("https" if url.tls else "http") or self._proxies.get("all") or ""
        if not found or is_loopback(url.host) or self._bypassed(url):
            return ""
        address = found if "://" in found else f"http://{found}"
        scheme = address.partition("://")[0].lower()
        if scheme not in ("http", "https"):
            raise RequestError(
                f"the environment asks for a {scheme} proxy, and only http and https proxies are spoken to",
                field="proxy",
                code="bad_proxy",
            )
        return address

    def _bypassed(self, url: Url) -> bool:
        """NO_PROXY: names that the host is or ends with, with or without a port; "*" is all."""
        wanted = [each.strip().lower().lstrip(".") for each in self._proxies.get("no", "").split(",")]
        hosts = (url.host, f"{url.host}:{url.port}")
        return "*" in wanted or any(
            host == each or host.endswith(f".{each}") for each in wanted if each for host in hosts
        )
