"""The known places, a row each, and the ones of the user's configuration beside them.

Base URLs and key variables were read on 2026-11-21 in the vendors' documentation and in the provider
classes of mozilla-ai/any-llm; only places whose chat completions speak the openai_chat wire stand here.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headrace.config import ProviderSettings, Settings, line_in
from headrace.errors import ConfigError
from headrace.providers.quirks import checked_quirks
from headrace.providers.row import ProviderRow
from headrace.wire import WIRES


def _remote(name: str, base_url: str, api_key_env: str, **quirks: Any) -> ProviderRow:
    return ProviderRow(name, "openai_chat", base_url, api_key_env, quirks=quirks)


def _here(name: str, base_url: str, api_key_env: str = "", **quirks: Any) -> ProviderRow:
    """A server on this machine: a key where one was set up, else none."""
    return ProviderRow(name, "openai_chat", base_url, api_key_env, key_optional=True, quirks=quirks)


_SAMPLERS = ("top_k", "min_p")
# console.groq.com/docs/openai, "Currently Unsupported OpenAI Features": a 400 where they are sent.
_GROQ_REFUSES = ("logprobs", "logit_bias", "top_logprobs")
# Fields outside Mistral's schema are refused (422 extra_forbidden); its seed has another name.
_MISTRAL_REFUSES = ("seed", "logit_bias", "logprobs", "top_logprobs")


KNOWN: dict[str, ProviderRow] = {
    row.name: row
    for row in (
        _remote(
            "openai", "https://api.openai.com/v1", "OPENAI_API_KEY", max_tokens_field="max_completion_tokens"
        ),
        _remote("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
        _remote("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        _remote("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        _remote("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", no_developer_role=True),
        _remote("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", extra=_SAMPLERS),
        _remote("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", drop=_GROQ_REFUSES),
        _remote("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN"),
        _remote("minimax", "https://api.minimax.io/v1", "MINIMAX_API_KEY"),
        _remote(
            "mistral",
            "https://api.mistral.ai/v1",
            "MISTRAL_API_KEY",
            no_stream_options=True,
            no_developer_role=True,
            drop=_MISTRAL_REFUSES,
        ),
        _remote("moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
        _remote("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
        _remote("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", extra=_SAMPLERS),
        _remote("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
        _remote("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
        _remote("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", extra=_SAMPLERS),
        _remote("xai", "https://api.x.ai/v1", "XAI_API_KEY", reasoning_beside_output=True),
        _remote("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
        _here("llamacpp", "http://127.0.0.1:8080/v1", extra=_SAMPLERS),
        _here("lmstudio", "http://127.0.0.1:1234/v1"),
        _here("ollama", "http://127.0.0.1:11434/v1"),
        _here("vllm", "http://127.0.0.1:8000/v1", "VLLM_API_KEY", extra=_SAMPLERS),
    )
}


def provider_rows(settings: Settings | None = None) -> dict[str, ProviderRow]:
    """Every row by name: the known ones, changed and joined by the configuration's.

    Raises: ConfigError for a place of one's own without wire or base_url, an unknown wire or quirk.
    """
    settings = settings or Settings()
    rows = {name: msgspec.structs.replace(row, clocks=settings.clocks) for name, row in KNOWN.items()}
    for name, wanted in settings.providers.items():
        rows[name] = _configured(name, wanted, rows.get(name), settings)
    return rows


def _configured(
    name: str, wanted: ProviderSettings, known: ProviderRow | None, settings: Settings
) -> ProviderRow:
    base = known or ProviderRow(name, wanted.wire or "openai_chat", "", clocks=settings.clocks)
    if not wanted.base_url and not base.base_url:
        raise _wrong(settings, name, "base_url", "a place that is not known needs its base_url")
    if wanted.wire is not None and wanted.wire not in WIRES:
        raise _wrong(settings, name, "wire", f"no wire is called {wanted.wire!r}: {', '.join(WIRES)}")
    row = ProviderRow(
        name=name,
        wire=wanted.wire or base.wire,
        base_url=(wanted.base_url or base.base_url).rstrip("/"),
        api_key_env=_key_variable(wanted, base),
        auth=wanted.auth or base.auth,
        key_optional=base.key_optional and wanted.api_key_env is None,
        api_key=wanted.api_key,
        headers={**base.headers, **wanted.headers},
        quirks={**base.quirks, **wanted.quirks},
        clocks=wanted.clocks.over(base.clocks),
        ca_file=wanted.ca_file or base.ca_file,
        models=wanted.models or base.models,
    )
    try:
        checked_quirks(row)
    except ConfigError as error:
        quirk = error.field.rpartition(".")[2]
        raise _wrong(settings, name, f"quirks.{quirk}", error.message.partition(": ")[2]) from error
    return row


def _key_variable(wanted: ProviderSettings, base: ProviderRow) -> str:
    """A known place's key is never sent to another address unless it is named for it."""
    if wanted.api_key_env is not None:
        return wanted.api_key_env
    moved = wanted.base_url is not None and wanted.base_url.rstrip("/") != base.base_url
    return "" if moved else base.api_key_env


def _wrong(settings: Settings, name: str, field: str, why: str) -> ConfigError:
    path = ("providers", name, *field.split("."))
    line = line_in(settings.source, path)
    dotted = ".".join(path)
    return ConfigError(
        f"{settings.source or 'headrace.toml'}, line {line}: {dotted}: {why}",
        source=settings.source,
        line=line,
        field=dotted,
    )
