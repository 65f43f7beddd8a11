"""A fitted head as files: ``head.npz``, ``bank.npz`` and ``card.json`` in one folder; no pickle.

The card names the hash of each file, the data, the encoder, sources, licences and the figures the head was accepted on.
`read` refuses whatever does not match its card. Beside the shipped head lies ``report.json``: what
``bench/classifier.py`` measured of it on requests from sources it had and had not seen. Knows nothing of how heads are
fitted or used.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moslm.errors import ConfigError
from moslm.models.classifiers.head import AddedLabel, Careful, Head
from moslm.models.classifiers.prototypes import Prototypes
from moslm.models.classifiers.regression import Array, Linear
from moslm.models.encoders import ENCODERS
from moslm.models.encoders.ngrams import BUCKETS, SCHEME

SHIPPED = Path(__file__).parent / "shipped"
FORMAT = 3
_HEAD, _BANK, _CARD = "head.npz", "bank.npz", "card.json"


@dataclass(frozen=True, slots=True)
class Bank:
    """Requests the head was fitted on, as vectors: what a new label is fitted against.

    Attributes:
        vectors: (n, d) sentence vectors of the first reading, stored in 8 bits a number.
        labels: How many labels the head was fitted on.
        careful: (m, e) sentence vectors of the second reading, of other requests or fewer; None without one.
    """

    vectors: Array
    labels: int
    careful: Array | None = None


def write(folder: Path, head: Head, bank: Bank | None, card: Mapping[str, Any]) -> Head:
    """Write a head into a folder and return it under the version its files give it.

    Raises:
        ConfigError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _save(folder / _HEAD, _head_arrays(head))
        if bank is not None:
            _save(folder / _BANK, _bank_arrays(bank))
        files = {name: file_sha256(folder / name) for name in (_HEAD, _BANK) if (folder / name).exists()}
        about = {
            "format": FORMAT,
            "encoder": head.encoder_name,
            "careful_encoder": head.careful.encoder_name if head.careful else None,
            "ngrams": SCHEME,
            "fitted_labels": list(head.fitted_labels),
            "labels": list(head.labels),
            "added_labels": [added.name for added in head.added],
            "temperature": head.temperature,
            "careful_weight": head.careful.weight if head.careful else None,
            "careful_temperature": head.careful.temperature if head.careful else None,
            "far": head.far,
            "calibration_rows": len(head.calibration),
            **card,
            "files": files,
        }
        _replace(folder / _CARD, json.dumps(about, indent=2, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(folder)) from None
    return replace(head, version=_version(files))


def read(folder: Path) -> Head:
    """Read the head of a folder.

    Raises:
        ConfigError: A file is missing, truncated, not the one its card names, or fitted for another encoder or format.
    """
    card = read_card(folder)
    arrays = _verified(folder, _HEAD, card)
    try:
        head = _head_from(arrays, card)
    except (KeyError, ValueError) as error:
        raise _unusable(folder / _HEAD, f"does not hold a head ({error})") from None
    return head


def read_bank(folder: Path) -> Bank | None:
    """Read the bank of a folder; None when its card names none.

    Raises:
        ConfigError: As `read`.
    """
    card = read_card(folder)
    if _BANK not in card["files"]:
        return None
    arrays = _verified(folder, _BANK, card)
    try:
        careful = _unit(arrays["careful"]) if card["careful_encoder"] else None
        return Bank(_unit(arrays["vectors"]), len(card["fitted_labels"]), careful)
    except KeyError as error:
        raise _unusable(folder / _BANK, f"does not hold a bank ({error})") from None


def read_card(folder: Path) -> dict[str, Any]:
    """Read a card.

    Raises:
        ConfigError: It is missing, no JSON, or of another format.
    """
    file = folder / _CARD
    try:
        card = json.loads(file.read_bytes())
    except OSError as error:
        raise _unusable(file, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise _unusable(file, "is truncated or no JSON") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT or not isinstance(card.get("files"), dict):
        raise _unusable(file, f"is not a card of format {FORMAT}")
    unknown = {card.get("encoder"), card.get("careful_encoder") or card.get("encoder")} - set(ENCODERS)
    if unknown or card.get("ngrams") != SCHEME:
        raise _unusable(file, "is for an encoder or n-grams this version does not have")
    return card


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _unusable(file: Path, problem: str) -> ConfigError:
    mend = "reinstall moslm" if file.parent == SHIPPED else f"run: moslm fit --out {file.parent}"
    return ConfigError(problem, file=str(file), key="classifier.head", mend=mend)


def _verified(folder: Path, name: str, card: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    file = folder / name
    try:
        found = file_sha256(file)
        if found != card["files"].get(name):
            raise _unusable(file, f"is truncated or not the file its card names (sha256 {found[:12]}…)")
        with np.load(file, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except OSError as error:
        raise _unusable(file, f"cannot be read ({error.strerror})") from None
    except (ValueError, zipfile.BadZipFile):
        raise _unusable(file, "is no npz file") from None


def _head_arrays(head: Head) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "dense": head.dense.weights.astype(np.float16),
        "dense_bias": head.dense.bias,
        "lexical": head.lexical.weights.astype(np.float16),
        "lexical_bias": head.lexical.bias,
        "importance": head.importance.astype(np.float16),
        "calibration": head.calibration,
        "single": head.single,
        **_prototype_arrays("prototypes", head.prototypes),
    }
    if head.several is not None:
        arrays |= {"several": head.several.weights.astype(np.float16), "several_bias": head.several.bias}
    if head.glance is not None:
        arrays |= {"glance": head.glance.weights.astype(np.float16), "glance_bias": head.glance.bias}
    arrays |= _added_arrays("added", head.added)
    if head.careful is not None:
        arrays |= {
            "careful": head.careful.dense.weights.astype(np.float16),
            "careful_bias": head.careful.dense.bias,
            **_added_arrays("careful_added", head.careful.added),
            **_prototype_arrays("careful_prototypes", head.careful.prototypes),
        }
    return arrays


def _prototype_arrays(prefix: str, found: Prototypes | None) -> dict[str, NDArray[Any]]:
    if found is None:
        return {}
    distances = np.array([found.typical, found.spread])
    return {
        f"{prefix}_origin": found.origin,
        f"{prefix}_points": found.points.astype(np.float16),
        f"{prefix}_distances": distances,
    }


def _prototypes_from(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Prototypes | None:
    if f"{prefix}_points" not in arrays:
        return None
    typical, spread = arrays[f"{prefix}_distances"].tolist()
    points = arrays[f"{prefix}_points"].astype(np.float32)
    return Prototypes(arrays[f"{prefix}_origin"].astype(np.float32), points, typical, spread)


def _added_arrays(prefix: str, labels: Sequence[AddedLabel]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for number, added in enumerate(labels):
        arrays[f"{prefix}{number}_examples"] = added.examples
        arrays[f"{prefix}{number}_weights"] = added.weights.weights
        arrays[f"{prefix}{number}_bias"] = added.weights.bias
    return arrays


def _bank_arrays(bank: Bank) -> dict[str, NDArray[Any]]:
    arrays = {"vectors": _in_bytes(bank.vectors)}
    return arrays if bank.careful is None else {**arrays, "careful": _in_bytes(bank.careful)}


def _in_bytes(vectors: Array) -> NDArray[np.int8]:
    scale = 127 / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.round(vectors * scale), dtype=np.int8)


def _unit(rows: NDArray[Any]) -> Array:
    vectors = rows.astype(np.float32)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def _head_from(arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]) -> Head:
    fitted = tuple(card["fitted_labels"])
    dense = Linear(arrays["dense"].astype(np.float32), arrays["dense_bias"])
    lexical = Linear(arrays["lexical"].astype(np.float32), arrays["lexical_bias"])
    if lexical.weights.shape != (BUCKETS, len(fitted) + 1) or dense.weights.shape[1] != len(fitted) + 1:
        raise ValueError("its shape does not fit its labels")
    return Head(
        version=_version(card["files"]),
        encoder_name=card["encoder"],
        fitted_labels=fitted,
        dense=dense,
        lexical=lexical,
        importance=arrays["importance"].astype(np.float32),
        temperature=float(card["temperature"]),
        calibration=arrays["calibration"],
        labels=tuple(card["labels"]),
        added=_added_from("added", arrays, card),
        careful=_careful_from(arrays, card),
        prototypes=_prototypes_from("prototypes", arrays),
        far=float(card["far"]),
        several=_linear("several", arrays),
        glance=_linear("glance", arrays),
        single=arrays["single"],
    )


def _linear(name: str, arrays: Mapping[str, NDArray[Any]]) -> Linear | None:
    return Linear(arrays[name].astype(np.float32), arrays[f"{name}_bias"]) if name in arrays else None


def _careful_from(arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]) -> Careful | None:
    if card["careful_encoder"] is None:
        return None
    dense = Linear(arrays["careful"].astype(np.float32), arrays["careful_bias"])
    if dense.weights.shape[1] != len(card["fitted_labels"]) + 1:
        raise ValueError("its shape does not fit its labels")
    added = _added_from("careful_added", arrays, card)
    return Careful(
        card["careful_encoder"],
        dense,
        float(card["careful_weight"]),
        float(card["careful_temperature"]),
        added,
        _prototypes_from("careful_prototypes", arrays),
    )


def _added_from(prefix: str, arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]) -> tuple[AddedLabel, ...]:
    return tuple(
        AddedLabel(
            name,
            arrays[f"{prefix}{number}_examples"],
            Linear(arrays[f"{prefix}{number}_weights"], arrays[f"{prefix}{number}_bias"]),
        )
        for number, name in enumerate(card["added_labels"])
    )


def _version(files: Mapping[str, str]) -> str:
    return hashlib.sha256(files[_HEAD].encode()).hexdigest()[:12]


def _save(file: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an npz whose bytes depend on the arrays alone, so that a refit can be compared by hash."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with zipfile.ZipFile(draft, "w") as archive:
        for name, array in arrays.items():
            # a ZipInfo made by hand carries no clock time
            about = zipfile.ZipInfo(f"{name}.npy")
            about.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(about, "w") as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
    os.replace(draft, file)


def _replace(file: Path, content: bytes) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(content)
    os.replace(draft, file)
