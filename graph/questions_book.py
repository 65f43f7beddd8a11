"""Where questions to people are kept, by the settings."""

from __future__ import annotations

from moslm.config import Config, home
from moslm.governance.questions import Questions
from moslm.governance.redis_questions import RedisQuestions
from moslm.graph.redis_address import redis_address
from moslm.nodes.asking import Book


def questions_book(config: Config, file: str | None) -> Book:
    """Return what keeps the questions; nothing is opened before it is used.

    Args:
        config: The settings.
        file: File they stand in, for messages.

    Raises:
        ConfigError: Redis' address is missing, or is none that may carry them.
        MissingExtraError: Redis' client is not installed.
    """
    review = config.review
    if url := redis_address(review, "review", config.allow_hosts, file):
        return RedisQuestions(url, prefix=review.redis_prefix, durable=review.redis_durable)
    return Questions(review.file or home() / "reviews.sqlite")
