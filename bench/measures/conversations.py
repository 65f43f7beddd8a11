"""Follow-ups that stay and changes of topic that switch, over the conversations beside the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from measures.rows import WRITTEN
from moslm.models.classifiers.encoder import EncoderClassifier
from moslm.turn import Turn


def of_conversations(classifier: EncoderClassifier, data: Path) -> dict[str, float]:
    """Return the share of each kind whose last turn gets its domain; changes to no domain are left out."""
    sys.path.insert(0, str(WRITTEN / "conversations"))
    from loading import load_conversations

    counts: dict[str, list[bool]] = {}
    for conversation in load_conversations(data):
        if conversation.domain is None:
            continue
        ranking = classifier.rank([Turn(turn.role, turn.text) for turn in conversation.turns])
        top = max(ranking.probabilities, key=ranking.probabilities.__getitem__)
        counts.setdefault(conversation.kind, []).append(top == conversation.domain)
    shares = {kind: float(np.mean(right)) for kind, right in counts.items()}
    return shares | {f"n_{kind}": len(right) for kind, right in counts.items()}
