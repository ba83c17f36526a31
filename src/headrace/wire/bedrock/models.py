"""The vendor's list of models, which another of its hosts gives.

Source: Amazon Bedrock's own model of its control plane as botocore 1.44 carries it (`data/bedrock`, API
version 2023-04-20, `ListFoundationModels`), read 2026-11-25; it takes the same API keys. Models that do not
stream are left out: `ConverseStream` refuses them. One that is served through inference profiles alone is
asked for by the profile's id, such as the model's with `us.` before it.
"""

from __future__ import annotations

from headrace.core.model import ModelCard
from headrace.wire.model_list import Fields, Listing, ModelPage, entries, text

_PATH = "/foundation-models?byOutputModality=TEXT"
_RUNTIME, _CONTROL = "https://bedrock-runtime.", "https://bedrock."


def read_list(body: bytes) -> ModelPage:
    """The models. Raises WireError."""
    found, _ = entries(body, "modelSummaries")
    streaming = [each for each in found if each.get("responseStreamingSupported") is not False]
    return ModelPage(tuple(_card(each, id) for each in streaming if (id := text(each, "modelId"))))


def control_plane(base_url: str) -> str:
    """Where the list is asked for, of a runtime's address; a place of one's own gives it by itself."""
    return _CONTROL + base_url.removeprefix(_RUNTIME) if base_url.startswith(_RUNTIME) else base_url


def _card(entry: Fields, id: str) -> ModelCard:
    return ModelCard(id, description=text(entry, "modelName"))


LISTING = Listing(_PATH, read_list, control_plane)
