"""From what pydantic found to the one line a person can act on.

Owns the words of mistakes in settings; knows no setting by name.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from moslm.errors import ConfigError


def first_mistake(error: ValidationError, section: type[BaseModel], file: str, prefix: str) -> ConfigError:
    """Return the first mistake of a section as one line that names file, key, value and mend.

    Args:
        error: What pydantic found.
        section: The schema it was held against; its keys are what a misspelt one is compared with.
        file: The file the section stands in.
        prefix: Dotted path of the section in the file; empty for the whole file.
    """
    first = error.errors()[0]
    # pydantic names the chosen branch of a union in the path; the file does not
    kinds = {"vllm", "embedded", "hosted", "scripted"}
    path = [
        str(part) for i, part in enumerate(first["loc"]) if not (part in kinds and i and first["loc"][i - 1] == "model")
    ]
    key = ".".join(([prefix] if prefix else []) + [part for part in path if part != "[key]"])
    problem, mend = _in_words(first, section, path)
    if first["type"] in ("missing", "union_tag_not_found", "union_tag_invalid"):
        return ConfigError(problem, file=file, key=key, mend=mend)
    return ConfigError(problem, file=file, key=key, value=first["input"], mend=mend)


_KINDS = 'write kind = "vllm", "embedded", "hosted" or "scripted"'


def _in_words(mistake: Any, section: type[BaseModel], path: list[str]) -> tuple[str, str]:
    kind, limits = mistake["type"], mistake.get("ctx", {})
    if kind == "extra_forbidden":
        there = _keys_beside(section, path)
        close = get_close_matches(path[-1], there, n=1)
        is_config = section.__module__.startswith("moslm.config")
        listed = "moslm config schema lists every key" if is_config else f"there are {', '.join(there)}"
        return "unknown key", f"did you mean {close[0]}?" if close else f"remove it ({listed})"
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        bound = limits.get("ge", limits.get("le", limits.get("gt", limits.get("lt"))))
        side = {"greater_than_equal": "at least", "less_than_equal": "at most"}.get(
            kind, "more than" if kind == "greater_than" else "less than"
        )
        hint = ", such as 0.8" if side == "at most" and bound == 1 else ""
        return f"must be {side} {bound:g}", f"write a number {side} {bound:g}{hint}"
    if kind == "string_pattern_mismatch" and limits.get("pattern", "").startswith("^https?"):
        return "is not an http(s) address", "write e.g. http://127.0.0.1:8000/v1"
    if kind == "missing":
        return "is missing", f"add {path[-1]} = ..."
    if kind == "union_tag_invalid":
        close = get_close_matches(str(limits.get("tag")), ["vllm", "embedded", "hosted", "scripted"], n=1, cutoff=0.4)
        return f"has no kind {limits.get('tag')!r}", f"did you mean {close[0]}?" if close else _KINDS
    if kind == "union_tag_not_found":
        return "needs a kind", _KINDS
    text = mistake["msg"].removeprefix("Value error, ")
    return text[0].lower() + text[1:], ""


def _keys_beside(section: type[BaseModel], path: list[str]) -> list[str]:
    """Return the keys that the section at ``path`` knows, for a "did you mean"."""
    schema = section.model_json_schema()
    nodes: list[Any] = [schema]
    for part in path[:-1]:
        nodes = [child for node in nodes for child in _children(schema, node, part)]
    return [key for node in nodes for key in _resolved(schema, node).get("properties", {})]


def _children(schema: dict[str, Any], node: dict[str, Any], part: str) -> list[Any]:
    node = _resolved(schema, node)
    if part.isdigit() and "items" in node:
        return _branches(node["items"])
    child = node.get("properties", {}).get(part)
    if child is None:
        child = next(iter(node.get("patternProperties", {}).values()), None) or node.get("additionalProperties")
    if not isinstance(child, dict):
        return []
    return _branches(child)


def _branches(node: dict[str, Any]) -> list[Any]:
    inner = node.get("oneOf") or node.get("anyOf")
    return [leaf for each in inner for leaf in _branches(each)] if inner else [node]


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    found = schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else node
    return dict(found)
