"""The front door: names, laziness, documentation, versions."""

import ast
import dataclasses
import importlib.metadata
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lyapflow as lf

HERE = Path(__file__).parent
ROOT = HERE.parent
HEAVY = ("cvxpy", "scipy", "control", "matplotlib", "rich", "jinja2", "clarabel", "dask")


def run(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- names --------------------------------------------------------------------------------------------------------


def test_public_names_are_those_of_the_golden_file():
    """A change of the API shows in review: edit ``public_names.txt`` on purpose."""
    golden = (HERE / "public_names.txt").read_text().split()
    assert golden == sorted(golden)
    assert sorted(lf.__all__) == golden
    assert len(set(lf.__all__)) == len(lf.__all__)


def declared():
    """Names of the TYPE_CHECKING block with the module each is imported from, and the dictionary of rooms."""
    tree = ast.parse((ROOT / "lyapflow" / "__init__.py").read_text())
    typed, rooms = {}, {}
    for node in tree.body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for imported in node.body:
                assert isinstance(imported, ast.ImportFrom)
                assert imported.level == 1
                for alias in imported.names:
                    assert alias.asname == alias.name  # an explicit re-export
                    assert alias.name not in typed
                    typed[alias.name] = imported.module or ""
        elif isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["_ROOMS"]:
            assert isinstance(node.value, ast.Dict)
            keys = [ast.literal_eval(key) for key in node.value.keys]
            assert len(set(keys)) == len(keys)
            rooms = ast.literal_eval(node.value)
    return typed, rooms


def test_the_typed_door_is_the_lazy_door():
    typed, rooms = declared()
    assert typed
    assert typed == rooms
    assert sorted(rooms) == sorted(lf.__all__)


@pytest.mark.parametrize("name", lf.__all__)
def test_every_name_opens(name):
    value = getattr(lf, name)
    assert name in dir(lf)
    assert getattr(lf, name) is value
    if not inspect.ismodule(value):
        assert value.__module__.startswith("lyapflow.")
        assert value.__name__ == name


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'Certifcate'"):
        _ = lf.Certifcate
    with pytest.raises(ImportError):
        exec("from lyapflow import Certifcate")


def test_star_import():
    names = {}
    exec("from lyapflow import *", names)
    assert set(lf.__all__) <= set(names)


# --- laziness -----------------------------------------------------------------------------------------------------

LOADED = "print(__import__('json').dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def test_importing_loads_nothing_heavy():
    loaded = run(f"import sys, lyapflow; {LOADED}")
    assert "lyapflow" in loaded
    assert not {*HEAVY, "numpy", "flint"} & set(loaded)


def test_verifying_loads_no_solver(tmp_path):
    path = lf.save(lf.certify(lf.flows.heavy_ball_flow(lf.SmoothStronglyConvex(1, 10), damping=2)), tmp_path / "c.json")
    loaded = run(f"import sys, lyapflow; assert lyapflow.verify(sys.argv[1]).proved; {LOADED}", path)
    assert not set(HEAVY) & set(loaded)
    code = (
        "import contextlib, io, sys; from lyapflow.cli import main\n"
        f"with contextlib.redirect_stdout(io.StringIO()): assert main(['verify', sys.argv[1]]) == 0\n{LOADED}"
    )
    assert not set(HEAVY) & set(run(code, path))


def test_a_model_loads_no_solver():
    code = (
        "import sys, lyapflow as lf\n"
        "f = lf.SmoothStronglyConvex(1, 10)\n"
        f"lf.flows.primal_dual_flow(f, constraint=[[1, 2]]), lf.flows.gradient_flow(f)\n{LOADED}"
    )
    assert not set(HEAVY) & set(run(code))


# --- documentation ------------------------------------------------------------------------------------------------


def public_objects():
    found = {name: getattr(lf, name) for name in lf.__all__}
    for room in ("algorithms", "cascade", "flows", "learning", "members"):
        module = found.pop(room)
        found |= {f"{room}.{name}": getattr(module, name) for name in module.__all__}
    return {name: value for name, value in found.items() if callable(value)}


def public_callables():
    for name, value in public_objects().items():
        yield name, value
        if inspect.isclass(value):
            for attribute, method in vars(value).items():
                if (not attribute.startswith("_") and isinstance(method, staticmethod | classmethod)) or (
                    inspect.isfunction(method) and not attribute.startswith("_")
                ):
                    yield f"{name}.{attribute}", getattr(value, attribute)


CALLABLES = dict(public_callables())


def documented(docstring):
    """Names with an entry in a numpydoc section ``Parameters`` or ``Attributes``."""
    names = set()
    section_text = r"(?:Parameters|Attributes)\n-+\n(.*?)(?:\n\n[A-Z]\w+(?: \w+)?\n-+\n|\Z)"
    for section in re.findall(section_text, docstring, re.S):
        for line in section.splitlines():
            if line and not line[0].isspace():
                names |= {name.strip().lstrip("*") for name in line.partition(" :")[0].split(",")}
    return names


def parameters(value):
    if inspect.isclass(value) and issubclass(value, Exception):
        return set()  # raised by the package, not called by users
    if inspect.isclass(value) and getattr(value, "_is_protocol", False):
        return set()
    return {name for name in inspect.signature(value).parameters if name not in {"self", "cls"}}


@pytest.mark.parametrize("name", CALLABLES)
def test_every_public_callable_is_documented(name):
    docstring = inspect.getdoc(CALLABLES[name])
    assert docstring
    first = docstring.splitlines()[0]
    assert first.endswith((".", ":")), first


@pytest.mark.parametrize("name", public_objects())
def test_every_parameter_is_documented(name):
    value = public_objects()[name]
    docstring = inspect.getdoc(value) or ""
    if inspect.isclass(value) and dataclasses.is_dataclass(value):
        assert docstring != f"{value.__name__}{inspect.signature(value)}"  # what dataclass writes of its own accord
    assert parameters(value) <= documented(docstring), sorted(parameters(value) - documented(docstring))


# --- versions -----------------------------------------------------------------------------------------------------


def test_one_version_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == lf.__version__
    citation = re.search(r"^version: *\"?([^\"\s]+)", (ROOT / "CITATION.cff").read_text(), re.M)
    assert citation
    assert citation[1] == lf.__version__
    released = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert released[0] == lf.__version__
    done = subprocess.run(
        [sys.executable, "-m", "lyapflow.cli", "--version"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["lyapflow", lf.__version__]


def test_the_installed_version_is_this_one():
    try:
        installed = importlib.metadata.version("lyapflow")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("lyapflow is not installed: run from its source tree")
    assert installed == lf.__version__


def test_every_public_name_is_in_the_documentation():
    pages = (ROOT / "docs" / "api.md").read_text()
    errors = {
        name for name in lf.__all__ if inspect.isclass(getattr(lf, name)) and issubclass(getattr(lf, name), Exception)
    }
    assert "automodule:: lyapflow.errors" in pages
    for name in sorted(set(lf.__all__) - errors):
        assert re.search(rf"\b{name}\b", pages), name
