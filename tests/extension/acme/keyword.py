"""A stranger's classifier: the first keyword decides."""

from __future__ import annotations

from collections.abc import Sequence

from moslm import Ranking, Turn

WORDS = {"contract": "legal", "invoice": "finance", "laptop": "it_support"}


class KeywordClassifier:
    name = "acme-keywords 1"
    labels = ("legal", "finance", "it_support", "customer_service", "complex_reasoning")

    def rank(self, turns: Sequence[Turn]) -> Ranking:
        text = turns[-1].text.lower()
        label = next((domain for word, domain in WORDS.items() if word in text), "customer_service")
        probabilities = {each: 0.96 if each == label else 0.01 for each in self.labels}
        return Ranking(probabilities, (), None, False)
