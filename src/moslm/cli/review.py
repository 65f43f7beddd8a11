"""A person's decisions at the terminal: approve, reject, edit or answer what a run waits for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moslm.cli.style import Style, safe, style_for

_TYPED = {
    "approve": ("y", "yes", "approve"),
    "reject": ("n", "no", "reject"),
    "edit": ("e", "edit"),
    "respond": ("r", "respond"),
}
"""What counts as which decision: the letter or the whole word. Anything else, however it begins, decides nothing."""
_WORDS = {"approve": "[y]es", "reject": "[n]o", "edit": "[e]dit the arguments", "respond": "[r]espond in its place"}

_DRAFT = "draft"
"""Argument that holds an answer in words: whoever edits it types words, and no JSON."""

Prompt = Callable[[str], str]


def at_the_terminal(question: dict[str, Any], prompt: Prompt | None = None) -> dict[str, Any]:
    """Ask a person about every action of one interrupt.

    Args:
        question: ``action_requests`` and ``review_configs``, as LangChain's HumanInTheLoopMiddleware writes them.
        prompt: Shows a text and returns the line that was typed; by default `input`.

    Returns:
        What resumes the run: ``{"decisions": [...]}``, one for each action.
    """
    prompt, style = prompt or input, style_for()
    if "problem" in question:
        print(f"That did not fit: {safe(str(question['problem']))}")
    if "decided_before" in question:
        print(f"This was {safe(str(question['decided_before']))}; to approve it is to do it again.")
    allowed = {each["action_name"]: each["allowed_decisions"] for each in question["review_configs"]}
    if "expires_at" in question:
        print(style.dim(f"To be decided until {safe(str(question['expires_at']))[:16].replace('T', ' ')} UTC."))
    requests = question["action_requests"]
    return {"decisions": [_decided(each, allowed[each["name"]], prompt, style) for each in requests]}


def _decided(request: dict[str, Any], allowed: list[str], prompt: Prompt, style: Style) -> dict[str, Any]:
    print(style.bold(safe(request.get("description") or request["name"])))
    for name, value in request["args"].items():
        print(f"  {safe(name)}: {safe(json.dumps(value, ensure_ascii=False))}")
    meanings = {typed: each for each in allowed for typed in _TYPED.get(each, ())}
    choices = ", ".join(words for each, words in _WORDS.items() if each in allowed)
    while True:
        chosen = meanings.get(prompt(f"{choices}? ").strip().lower())
        decision = _DECISIONS[chosen](request, prompt) if chosen else None
        if decision is not None:
            return decision
        print("Nothing is decided yet.")


def _approve(request: dict[str, Any], prompt: Prompt) -> dict[str, Any] | None:
    return {"type": "approve"}


def _reject(request: dict[str, Any], prompt: Prompt) -> dict[str, Any] | None:
    why = prompt("Why not (may stay empty)? ").strip()
    return {"type": "reject", "message": why} if why else {"type": "reject"}


def _edit(request: dict[str, Any], prompt: Prompt) -> dict[str, Any] | None:
    if isinstance(request["args"].get(_DRAFT), str):
        words = prompt("The answer in your words: ").strip()
        args = {**request["args"], _DRAFT: words}
        return {"type": "edit", "edited_action": {"name": request["name"], "args": args}} if words else None
    typed = prompt("Arguments as JSON: ")
    try:
        args = json.loads(typed)
    except ValueError as error:
        print(f"That is no JSON: {error}")
        return None
    if not isinstance(args, dict):
        print('Write an object, such as {"amount": 20}')
        return None
    return {"type": "edit", "edited_action": {"name": request["name"], "args": {**request["args"], **args}}}


def _respond(request: dict[str, Any], prompt: Prompt) -> dict[str, Any] | None:
    words = prompt("Your answer: ").strip()
    return {"type": "respond", "message": words} if words else None


_DECISIONS: dict[str, Callable[[dict[str, Any], Prompt], dict[str, Any] | None]] = {
    "approve": _approve,
    "reject": _reject,
    "edit": _edit,
    "respond": _respond,
}
