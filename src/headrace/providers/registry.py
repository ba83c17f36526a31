"""The known places, a row each.

Base URLs and key variables of the places of the openai_chat wire were read on 2026-11-21 in the vendors'
documentation and in the provider classes of mozilla-ai/any-llm. Read on 2026-11-25: the others in the
vendors' own Python clients (anthropic 2.11, google-genai 3.4, ollama 0.6.3, openai 3.52 with its
`lib/azure.py`, cohere 7.3, botocore 1.44), TGI's port in its quick tour, Azure's v1 API, Together's address
and DeepSeek's rule for reasoning in their documentation.
"""

from __future__ import annotations

from typing import Any

from headrace.providers.row import ProviderRow


def _remote(
    name: str, base_url: str, api_key_env: str, wire: str = "openai_chat", **quirks: Any
) -> ProviderRow:
    return ProviderRow(name, wire, base_url, api_key_env, quirks=quirks)


def _here(
    name: str, base_url: str, api_key_env: str = "", wire: str = "openai_chat", **quirks: Any
) -> ProviderRow:
    """A server on this machine: a key where one was set up, else none."""
    return ProviderRow(name, wire, base_url, api_key_env, key_optional=True, quirks=quirks)


_OPENAI = "https://api.openai.com/v1"
_SAMPLERS = ("top_k", "min_p")
# console.groq.com/docs/openai, "Currently Unsupported OpenAI Features": a 400 where they are sent.
_GROQ_REFUSES = ("logprobs", "logit_bias", "top_logprobs")
# Fields outside Mistral's schema are refused (422 extra_forbidden); its seed has another name.
_MISTRAL_REFUSES = ("seed", "logit_bias", "logprobs", "top_logprobs")
# ai.google.dev/gemini-api/docs/thought-signatures, for calls that no Gemini model made; read 2026-11-25.
_NO_SIGNATURE = "skip_thought_signature_validator"


KNOWN: dict[str, ProviderRow] = {
    row.name: row
    for row in (
        _remote("openai", _OPENAI, "OPENAI_API_KEY", max_tokens_field="max_completion_tokens"),
        _remote("openai_responses", _OPENAI, "OPENAI_API_KEY", "openai_responses"),
        _remote("openai_completions", _OPENAI, "OPENAI_API_KEY", "openai_completions"),
        _remote("openai_audio", _OPENAI, "OPENAI_API_KEY", "openai_audio"),
        # The official client takes either variable, this one first, and sends both as a bearer token.
        ProviderRow(
            "anthropic",
            "anthropic",
            "https://api.anthropic.com/v1",
            "ANTHROPIC_API_KEY",
            fallback_key_env="ANTHROPIC_AUTH_TOKEN",
        ),
        # The order of the two variables is the official client's.
        ProviderRow(
            "google",
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            "GOOGLE_API_KEY",
            fallback_key_env="GEMINI_API_KEY",
            quirks={"call_signature": _NO_SIGNATURE},
        ),
        # Its v1 API: no api-version, the deployment is the model. An Entra token goes as `auth = "bearer"`.
        ProviderRow(
            "azure",
            "openai_chat",
            "",
            "AZURE_OPENAI_API_KEY",
            auth="api-key",
            base_url_env="AZURE_OPENAI_ENDPOINT",
            base_path="/openai/v1",
            quirks={"max_tokens_field": "max_completion_tokens"},
        ),
        _remote("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
        # Its runtime in a region, by a Bedrock API key. The second variable is the one that botocore reads.
        ProviderRow(
            "bedrock",
            "bedrock",
            "https://bedrock-runtime.{}.amazonaws.com",
            "AWS_BEARER_TOKEN_BEDROCK",
            region_names=("AWS_REGION", "AWS_DEFAULT_REGION"),
        ),
        _remote("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        _remote("cohere", "https://api.cohere.com", "CO_API_KEY", "cohere"),
        _remote("deepinfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        # Reasoning of a turn that called tools must come back; of others it may.
        _remote(
            "deepseek",
            "https://api.deepseek.com",
            "DEEPSEEK_API_KEY",
            no_developer_role=True,
            reasoning_field="reasoning_content",
        ),
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
        _remote("together", "https://api.together.ai/v1", "TOGETHER_API_KEY", extra=_SAMPLERS),
        _remote("xai", "https://api.x.ai/v1", "XAI_API_KEY", reasoning_beside_output=True),
        _remote("zai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
        _here("llamacpp", "http://127.0.0.1:8080/v1", extra=_SAMPLERS),
        _here("lmstudio", "http://127.0.0.1:1234/v1"),
        _here("ollama", "http://127.0.0.1:11434", wire="ollama"),
        _here("tgi", "http://127.0.0.1:8080", wire="tgi"),
        _here("vllm", "http://127.0.0.1:8000/v1", "VLLM_API_KEY", extra=_SAMPLERS),
    )
}
