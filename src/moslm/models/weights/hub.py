"""Weights from the Hugging Face hub (extra ``hub``): its address, its keys, our resumable download."""

from __future__ import annotations

import os
from pathlib import Path

from moslm.errors import MissingExtraError, WeightsError
from moslm.models.weights.catalog import Weights
from moslm.models.weights.download import Connection, Progress, RefusedError, download


def from_hub(weights: Weights, partial: Path, progress: Progress) -> None:
    """Fetch a file of the hub into ``partial``.

    ``HF_ENDPOINT`` names a mirror, ``HF_TOKEN`` or a stored login opens gated repositories, ``HF_HUB_OFFLINE`` forbids.

    Raises:
        MissingExtraError: The extra ``hub`` is not installed.
        WeightsError: The hub does not have it, refuses it, or cannot be reached.
        OSError: The file cannot be written.
    """
    source = weights.hub
    if source is None:
        raise WeightsError(
            f"{weights.name} is not known on the hub; use --from index, --from DIR, or hf:owner/repo/file"
        )
    try:
        from huggingface_hub import get_token, hf_hub_url
    except ImportError:
        raise MissingExtraError("pulling from the Hugging Face hub", "hub") from None
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "ON", "YES"):
        raise WeightsError("HF_HUB_OFFLINE is set; unset it, or use --from DIR")
    endpoint = os.environ.get("HF_ENDPOINT") or None
    url = hf_hub_url(source.repo, source.file, revision=source.revision, endpoint=endpoint)
    token = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # The library's own certificate settings hold: the hub's clients read this variable.
    connection = Connection(certificates=os.environ.get("REQUESTS_CA_BUNDLE") or None, headers=headers)
    try:
        download(url, partial, progress, connection)
    except RefusedError as error:
        raise WeightsError(
            f"{error}: {source.repo}/{source.file} at {source.revision}; check the name, or set HF_TOKEN if it is gated"
        ) from error
