"""Finds, reads and checks headrace.toml."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import msgspec

from headrace.config.door import KeySettings, LimitSettings, QueueSettings
from headrace.config.lines import line_of
from headrace.config.secret import Secret
from headrace.config.settings import (
    Clocks,
    LocalSettings,
    ProviderSettings,
    ServerSettings,
    Settings,
    StreamSettings,
    TelemetrySettings,
)
from headrace.errors import ConfigError

T = TypeVar("T")
_WORDS = (
    (re.compile(r"Expected `str` matching regex '\^https\?.*"), "must begin with http:// or https://"),
    (
        re.compile(r"Expected `str` matching regex '\^\[A-Za-z_\].*"),
        "must be a variable's name, such as UP_KEY",
    ),
    (re.compile(r"Expected `str` matching regex '\^\[0-9a-f\].*"), "must be a SHA-256 in hex: 64 digits"),
    (
        re.compile(r"Expected `str` matching regex '\^\(\\\\\*.*"),
        'must be an origin, such as https://app.example, or "*"',
    ),
    (re.compile(r"Object missing required field `(.*?)`"), r"\1 is missing"),
    (re.compile(r"Expected `(?:int|float)(?: \| null)?` (<=|>=|<|>) (\S+)"), r"must be \1 \2"),
    (re.compile(r"Expected `(.*?)(?: \| null)?`, got `(.*?)`"), r"expected \1, not \2"),
)
FILE_NAME = "headrace.toml"
KEYS_FILE = "headrace-keys.json"
_SECTIONS = (
    "providers",
    "aliases",
    "server",
    "keys",
    "limits",
    "queue",
    "streams",
    "telemetry",
    "clocks",
    "local",
)
RESERVED = ("local", "sim")  # model ids that begin so never leave this machine
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")
_NO_CHOICE = re.compile(r"Invalid enum value ('.*?')")
_AT = re.compile(r"\s*- at `(?:key in )?\$(.*?)`$")


def load_config(path: str | os.PathLike[str] | None = None) -> Settings:
    """The settings of the first file there is, or the defaults where there is none.

    Looked for in this order: `path`; $HEADRACE_CONFIG; ./headrace.toml; headrace.toml in the user's
    configuration directory. Named ones (the first two) must exist.
    Raises: ConfigError naming file, line and field.
    """
    found = config_path(path)
    if found is None:
        return Settings()
    try:
        text = found.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{found} is not UTF-8", source=str(found)) from error
    except OSError as error:
        raise ConfigError(f"{found} cannot be read: {error.strerror}", source=str(found)) from error
    reader = _Reader(text, str(found))
    settings = reader.settings(_tree(text, str(found)))
    for name, provider in settings.providers.items():
        if provider.ca_file and not Path(provider.ca_file).expanduser().is_file():
            reader.fail(("providers", name, "ca_file"), f"there is no file {provider.ca_file}")
    return settings


def config_path(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Which file `load_config` reads. Raises: ConfigError where a named one does not exist."""
    named = path or os.environ.get("HEADRACE_CONFIG")
    if named:
        file = Path(named).expanduser()
        if not file.is_file():
            by = "" if path else " ($HEADRACE_CONFIG)"
            raise ConfigError(f"there is no file {file}{by}", source=str(file))
        return file
    return next((file for file in (Path(FILE_NAME), _user_file()) if file.is_file()), None)


def parse_config(text: str, *, source: str = "") -> Settings:
    """The same from the file's text; files it names are not looked for. source: what errors call it."""
    return _Reader(text, source).settings(_tree(text, source))


def _tree(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        why = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise ConfigError(f"{source or FILE_NAME}, line {line}: {why}", source=source, line=line) from error


def keys_path(settings: Settings) -> Path:
    """Where API keys are kept: as `[server] keys_file` says, else beside the configuration."""
    if settings.server.keys_file:
        return Path(settings.server.keys_file).expanduser()
    return (Path(settings.source) if settings.source else _user_file()).with_name(KEYS_FILE)


def _user_file() -> Path:
    import platformdirs  # only where it is needed: start-up is measured

    return Path(platformdirs.user_config_dir("headrace")) / FILE_NAME


class _Reader:
    """One file's tree -> settings. Keeps the text for the lines of errors."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source

    def settings(self, tree: Mapping[str, Any]) -> Settings:
        for key in tree:
            if key not in _SECTIONS:
                self.fail((key,), f"unknown section [{key}]{_did_you_mean(key, _SECTIONS)}")
        aliases = self._table(tree, "aliases")
        for name, target in aliases.items():
            if not isinstance(target, str) or not target:
                self.fail(("aliases", name), 'expected the id of a model, such as "openai/gpt-4o"')
        return Settings(
            providers=self._named(tree, "providers", ProviderSettings),
            aliases=aliases,
            server=self._convert(self._table(tree, "server"), ServerSettings, ("server",)),
            streams=self._convert(self._table(tree, "streams"), StreamSettings, ("streams",)),
            telemetry=self._convert(self._table(tree, "telemetry"), TelemetrySettings, ("telemetry",)),
            clocks=self._convert(self._table(tree, "clocks"), Clocks, ("clocks",)),
            local=self._named(tree, "local", LocalSettings),
            keys=self._named(tree, "keys", KeySettings),
            limits=self._convert(self._table(tree, "limits"), LimitSettings, ("limits",)),
            queue=self._convert(self._table(tree, "queue"), QueueSettings, ("queue",)),
            source=self._source,
        )

    def _named(self, tree: Mapping[str, Any], section: str, kind: type[T]) -> dict[str, T]:
        made: dict[str, T] = {}
        for name, values in self._table(tree, section).items():
            if not _NAME.fullmatch(name):
                self.fail((section, name), "a name is letters, digits, '.', '_' and '-'")
            if section == "providers" and name in RESERVED:
                self.fail((section, name), f"{name!r} names models of this machine")
            made[name] = self._convert(values, kind, (section, name))
        return made

    def _table(self, tree: Mapping[str, Any], section: str) -> dict[str, Any]:
        table = tree.get(section, {})
        if not isinstance(table, dict):
            self.fail((section,), f"expected a table [{section}]")
        return dict(table)

    def _convert(self, values: Any, kind: type[T], at: tuple[str, ...]) -> T:
        if not isinstance(values, dict):
            self.fail(at, f"expected a table [{'.'.join(at)}]")
        try:
            return msgspec.convert(values, kind, dec_hook=_secret)
        except msgspec.ValidationError as error:
            message = str(error)
            where = _AT.search(message)
            inner = _keys(where[1]) if where else ()
            why = _AT.sub("", message)
            unknown = _UNKNOWN.search(message)
            if unknown:
                inner = (*inner, unknown[1])
                why = f"unknown field{_did_you_mean(unknown[1], _fields_at(kind, inner))}"
            word = _NO_CHOICE.search(message)
            if word:
                why = f"{word[1]} is none of {', '.join(get_args(_type_at(kind, inner)))}"
            self.fail((*at, *inner), _in_words(why))

    def fail(self, field: Sequence[str], why: str) -> NoReturn:
        """Raise ConfigError for `field`, with its line."""
        # No cause on purpose: a parser's message may quote the value, and the value may be a key.
        raise setting_error(self._source, line_of(self._text, field), field, why) from None


def _in_words(why: str) -> str:
    """The checker's message for people who do not read its type language."""
    for pattern, words in _WORDS:
        why = pattern.sub(words, why)
    return why


def _secret(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("expected text")  # msgspec adds where


def _keys(path: str) -> tuple[str, ...]:
    """msgspec's path (`.headers[...]`) as keys; it does not tell which key of a mapping was meant."""
    return tuple(part for part in re.findall(r"\.([^.\[\]]+)", path) if part)


def _type_at(kind: Any, inner: Sequence[str]) -> Any:
    for key in inner:
        kind = next(each.type for each in msgspec.structs.fields(kind) if each.name == key)
    return kind


def _fields_at(kind: Any, inner: Sequence[str]) -> tuple[str, ...]:
    return tuple(each.name for each in msgspec.structs.fields(_type_at(kind, inner[:-1])))


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def setting_error(source: str, line: int, field: Sequence[str], why: str) -> ConfigError:
    """What is wrong with a setting, as people read it."""
    dotted = ".".join(field)
    where = f"{source or FILE_NAME}, line {line}"
    return ConfigError(f"{where}: {dotted}: {why}", source=source, line=line, field=dotted)


def line_in(source: str, field: Sequence[str]) -> int:
    """The line of `field` in a file that has been read well before; 0 where it cannot be told now."""
    try:
        return line_of(Path(source).read_text("utf-8"), field) if source else 0
    except OSError:
        return 0
