import subprocess
import sys

START = """
import sys
from moslm import Turn
from moslm.config import Config
from moslm.domains import load_domains
from moslm.models.classifiers import build_classifier
classifier, _ = build_classifier(Config().classifier, list(load_domains(Config()).values()))
classifier.rank([Turn("user", "my laptop does not start, and where is my parcel?")])
print(sorted({"langgraph", "langchain_core", "langsmith", "openai"} & set(sys.modules)))
"""


def test_a_classifier_starts_without_the_graph_and_its_imports():
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
