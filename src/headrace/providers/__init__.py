"""Remote places, as data: a row each, and one call for all of them."""

from headrace.providers.configured import provider_rows
from headrace.providers.model import ProviderModel, provider_model
from headrace.providers.registry import KNOWN
from headrace.providers.row import ProviderRow

__all__ = ["KNOWN", "ProviderModel", "ProviderRow", "provider_model", "provider_rows"]
