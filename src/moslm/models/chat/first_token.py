"""When the first words of a call came, for whoever streams them while they are written.

Knows neither whether those words will stand nor when the request was opened.
"""

from __future__ import annotations

import time
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig


class FirstToken(BaseCallbackHandler):
    """Notes the moment of a call's first words; a call that begins anew has said nothing yet."""

    run_inline = True  # one look at a clock: a thread for each token would cost more than the token

    def __init__(self) -> None:
        self.at: float | None = None
        """`time.time()` of the first words; None as long as there are none."""

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        """Begin anew."""
        self.at = None

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        """Note when the first words come; a piece without words (a role, a tool call) is none."""
        if token and self.at is None:
            self.at = time.time()


def streams(config: RunnableConfig) -> bool:
    """Tell whether somebody hears the words of this run's models while they are written.

    LangChain's own mark of such a listener is that it may look into the stream; those that only trace do not.
    """
    return any(hasattr(each, "tap_output_iter") for each in getattr(config.get("callbacks"), "handlers", ()))
