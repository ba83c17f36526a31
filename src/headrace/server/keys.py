"""Whose request it is: the API key that a client of any protocol sends, among those that are known."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import parse_qs

import msgspec

from headrace.config.door import KeySettings
from headrace.config.keys import digest_of, read_keys
from headrace.errors import ConfigError

logger = logging.getLogger("headrace.server")
_LOOK_EVERY_S = 1.0
_LONGEST = 512  # characters of what may be a key
_PREFIX = 8  # of the digest; it narrows the search and tells nothing of the key


class Key(msgspec.Struct, frozen=True):
    """A key that is known. id: empty for everybody where none is needed."""

    id: str
    settings: KeySettings

    @property
    def owner(self) -> str:
        """Whose streams its streams are."""
        return self.settings.owner or self.id

    def may_ask(self, *names: str) -> bool:
        """Whether it may ask the model that goes by these names."""
        patterns = self.settings.models
        return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns for name in names)

    def is_good(self, now_s: float) -> bool:
        """Whether it is neither revoked nor expired. now_s: Unix seconds."""
        expires = self.settings.expires
        if self.settings.revoked:
            return False
        if expires is None:
            return True
        return now_s < (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp()


NOBODY = Key("", KeySettings(sha256=""))


class Keys:
    """The keys of a server: of its configuration and of its file, which is read again as it changes.

    fixed: id -> key. file: may come into being later. now_s: Unix seconds. Raises ConfigError where the file
    cannot be read.
    """

    def __init__(
        self,
        fixed: Mapping[str, KeySettings],
        file: Path | None = None,
        *,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._fixed = fixed
        self._file = file
        self._now_s = now_s
        self._seen = self._stamp()
        self._looked_s = now_s()
        self._by_prefix = _by_prefix(fixed, read_keys(file) if file is not None else {})

    def __bool__(self) -> bool:
        return bool(self._by_prefix)

    def find(self, text: str) -> Key | None:
        """The good key that `text` is. The digests are compared in constant time."""
        now_s = self._now_s()
        if not 0 <= now_s - self._looked_s < _LOOK_EVERY_S:  # the clock may have been set back
            self._looked_s = now_s
            self._look()
        if not text or len(text) > _LONGEST:
            return None
        digest = digest_of(text)
        found = None
        for key in self._by_prefix.get(digest[:_PREFIX], ()):
            if hmac.compare_digest(key.settings.sha256, digest):
                found = key
        return found if found is not None and found.is_good(now_s) else None

    def _look(self) -> None:
        stamp = self._stamp()
        if self._file is None or stamp == self._seen:
            return
        try:
            self._by_prefix = _by_prefix(self._fixed, read_keys(self._file))
        except ConfigError as error:
            logger.warning("%s: the keys that were known before stay in force", error.message)
        self._seen = stamp

    def _stamp(self) -> tuple[int, int, int] | None:
        """What changes when the file does; None where there is none."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def _by_prefix(*sources: Mapping[str, KeySettings]) -> dict[str, list[Key]]:
    made: dict[str, list[Key]] = {}
    for source in sources:
        for id, settings in source.items():
            made.setdefault(settings.sha256[:_PREFIX], []).append(Key(id, settings))
    return made


def brought(headers: Mapping[str, str], query: str) -> Iterator[str]:
    """What may be the client's key, wherever the official clients put it.

    `Authorization: Bearer` (OpenAI, Ollama, Hugging Face, and Anthropic's auth_token), `x-api-key`
    (Anthropic), `x-goog-api-key` and `?key=` (Google): openai 3.52, anthropic 2.11, google-genai 3.4, read
    2026-11-25.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        yield token.strip()
    for name in ("x-api-key", "x-goog-api-key"):
        if headers.get(name):
            yield headers[name].strip()
    if "key=" in query:
        yield from parse_qs(query).get("key", ())[:1]
