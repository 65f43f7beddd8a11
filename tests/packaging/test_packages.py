"""What pip installs is what the tree holds."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = {"moslm": ROOT / "src/moslm", "moslm.graph": ROOT / "graph", "moslm.nodes": ROOT / "nodes"}
ROOMS["moslm.tools"] = ROOT / "tools"


def packages_in_the_tree() -> set[str]:
    found = set()
    for name, folder in ROOMS.items():
        for init in folder.rglob("__init__.py"):
            below = init.parent.relative_to(folder)
            if not any((folder / part).is_symlink() for part in below.parts[:1]):
                found.add(".".join([name, *below.parts]))
    return found


def test_every_package_of_the_tree_is_named_in_the_settings():
    assert packages_in_the_tree() == set(SETTINGS["tool"]["setuptools"]["packages"])


def test_the_version_is_the_same_everywhere():
    import moslm

    assert moslm.__version__ == SETTINGS["project"]["version"]
    assert f"## {moslm.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_public_api_is_one_screen_and_every_name_of_it_loads():
    import moslm

    assert len(moslm.__all__) <= 20
    assert all(getattr(moslm, name) is not None for name in moslm.__all__)
    assert sorted(moslm._WHERE) == sorted(moslm.__all__)


def test_import_is_light_and_loads_no_torch():
    code = (
        "import sys, moslm; moslm.Config; heavy = {'torch', 'openai', 'wordllama'} & set(sys.modules); assert not heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def imported_at_once() -> set[str]:
    """Return the first name of every foreign module that some module imports when it is itself imported."""
    files = [file for folder in ROOMS.values() for file in folder.rglob("*.py")]
    found: set[str] = set()
    for statement in (each for file in files for each in ast.parse(file.read_text(encoding="utf-8")).body):
        if isinstance(statement, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            found.add(str(statement.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"moslm"}


def test_what_is_imported_is_a_dependency_of_our_own_and_not_of_a_dependency():
    project, given_by = SETTINGS["project"], packages_distributions()
    extras = [each for name, extra in project["optional-dependencies"].items() if name != "dev" for each in extra]
    named = {re.split(r"[^\w-]", each)[0] for each in [*project["dependencies"], *extras]}
    # whose version is langchain-openai's choice: what is imported of it is what that package's models raise and take
    imported = imported_at_once() - {"openai"}
    assert {"langgraph", "sqlalchemy", "typing_extensions"} <= imported
    givers = {name: {each.lower().replace("_", "-") for each in given_by[name]} for name in imported}
    assert [name for name in sorted(imported) if not named & givers[name]] == []


@pytest.mark.slow
def test_the_wheel_holds_every_package_and_data_file(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    for package in SETTINGS["tool"]["setuptools"]["packages"]:
        assert f"{package.replace('.', '/')}/__init__.py" in names
    for domain in ("finance", "it_support", "customer_service"):
        assert f"moslm/domains/{domain}/domain.toml" in names
        assert f"moslm/domains/{domain}/examples.jsonl" in names
        assert any(name.startswith(f"moslm/domains/{domain}/knowledge/") for name in names)
    assert any(name.startswith("moslm/models/classifiers/shipped/") for name in names)
    assert "moslm/budgets/stores/lua/reserve.lua" in names
    assert "moslm/py.typed" in names
