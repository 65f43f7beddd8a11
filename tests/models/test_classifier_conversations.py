import importlib.util
import sys
from pathlib import Path

import pytest

from moslm import Config, Turn
from moslm.domains import load_domains
from moslm.models.classifiers import build_classifier

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def _loading():
    spec = importlib.util.spec_from_file_location("conversations", Path(__file__).parent / "conversations/loading.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def classifier():
    return build_classifier(Config().classifier, list(load_domains(Config()).values()))[0]


def shares(classifier, conversations):
    right = {"follow_up": [], "topic_change": []}
    for each in conversations:
        if each.domain is not None:
            ranking = classifier.rank([Turn(turn.role, turn.text) for turn in each.turns])
            right[each.kind].append(max(ranking.probabilities, key=ranking.probabilities.get) == each.domain)
    return {kind: sum(found) / len(found) for kind, found in right.items()}


def test_follow_ups_stay_and_topic_changes_switch_in_conversations_of_our_own(classifier):
    found = shares(classifier, _loading().load_written())
    assert found["follow_up"] >= 0.85
    assert found["topic_change"] >= 0.85


@pytest.mark.data
def test_follow_ups_stay_and_topic_changes_switch_in_real_dialogues(classifier):
    if not (DATA / "multidogo").is_dir():
        pytest.skip("no ../shared/data beside the checkout")
    found = shares(classifier, _loading().load_referenced(DATA))
    assert found["follow_up"] >= 0.9
    assert found["topic_change"] >= 0.95
