"""How bnutils is built: what importing it loads, and which way its imports point."""

import ast
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import bnutils
import press

ROOM = Path(bnutils.__file__).parent
PRESS = Path(press.__file__).parent
FLOORS = [  # from the ground up; a room imports only from floors below
    {"sample", "data", "device", "figures", "scratch"},
    {"evidence", "cards"},
    {"claims"},
    {"nn"},
    {"surgery", "lab"},
    {"exercises", "plots"},
    {"interactive"},
    {"__main__"},
]
UNTYPED = {"press/__main__.py"}  # its functions are commands: the decorators of click say what they are given
SAME_FLOOR = {("lab", "surgery"), ("surgery", "lab")}  # these two may use one another


def room(module):
    """The part of a package that a module belongs to: ``scratch`` for ``bnutils.scratch.norm``."""
    return module.split(".")[1] if "." in module else ""


def imports_that_do_not_point_down(package):
    """Pairs of modules, importer first, also where the import stands inside a function; type hints may."""
    graph = grimp.build_graph(package, cache_dir=None, exclude_type_checking_imports=True)
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    pairs = [(a, b) for a in sorted(graph.modules) for b in sorted(graph.find_modules_directly_imported_by(a))]
    unknown = {room(module) for module in graph.modules} - set(floor) - {""}
    assert not unknown, f"rooms without a floor: {sorted(unknown)}; give them one in FLOORS"
    inside = [(a, b) for a, b in pairs if room(a) != room(b) and (room(a), room(b)) not in SAME_FLOOR]
    return [(a, b) for a, b in inside if not room(a) or (room(b) and floor[room(a)] <= floor[room(b)])]


def test_imports_point_down():
    assert imports_that_do_not_point_down("bnutils") == []


@pytest.mark.parametrize(
    "importer, line",
    [
        ("scratch/norm.py", "from .. import plots"),
        ("data.py", "from . import claims"),
        ("__init__.py", "from . import data"),
        ("evidence.py", "def later():\n    from .exercises import engine"),
    ],
)
def test_an_import_that_points_up_or_sideways_is_seen(importer, line, tmp_path, monkeypatch):
    package = f"planted_{importer.replace('/', '_').removesuffix('.py')}"
    for path in ROOM.rglob("*.py"):
        copy = tmp_path / package / path.relative_to(ROOM)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    planted = tmp_path / package / importer
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    ((guilty, _),) = imports_that_do_not_point_down(package)
    module = f"{package}.{importer.removesuffix('.py').replace('/', '.')}"
    assert guilty == module.removesuffix(".__init__")


@pytest.mark.parametrize(
    "modules, absent",
    [
        ("bnutils", {"torch", "matplotlib", "numpy", "sklearn", "yaml", "IPython"}),
        ("bnutils.evidence, bnutils.claims", {"torch", "matplotlib", "scipy", "sklearn", "yaml", "IPython"}),
        ("bnutils.data, bnutils.device, bnutils.scratch.norm", {"torch", "matplotlib", "sklearn"}),
        ("bnutils.lab", {"matplotlib", "sklearn", "IPython"}),
        (
            "bnutils.exercises.the_transform",
            {"torch", "matplotlib", "sklearn", "bnutils.exercises.convolution", "bnutils.exercises.backpropagation"},
        ),
    ],
)
def test_importing_loads_no_more_than_it_needs(modules, absent):
    code = f"import sys, {modules}; print(sorted({absent} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded == "[]\n"


def imported_names(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "bnutils" if node.level else node.module.split(".")[0]


def test_scratch_imports_numpy_and_the_standard_library_only():
    allowed = {"numpy", "bnutils", *sys.stdlib_module_names}  # of bnutils only scratch: the floors see to that
    for path in (ROOM / "scratch").rglob("*.py"):
        assert set(imported_names(path.read_text(encoding="utf-8"))) <= allowed, path.name


def test_the_reader_of_imports_sees_every_form():
    source = "import torch.nn as nn\nfrom . import norm\ndef f():\n    from scipy.special import gamma\n"
    assert set(imported_names(source)) == {"torch", "bnutils", "scipy"}


def public_functions(node, owner=""):
    """Every function and method that a reader may call, by name, constructors too."""
    for each in node.body:
        if isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
            yield from public_functions(each, f"{each.name}.")
        elif isinstance(each, ast.FunctionDef) and (each.name == "__init__" or not each.name.startswith("_")):
            yield owner + each.name, each


def types_unsaid(source):
    """What has no annotation, as ``function: parameter`` or ``function: return``."""
    for name, function in public_functions(ast.parse(source)):
        given = function.args
        parameters = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
        named = [each for each in parameters if each and each.arg not in ("self", "cls")]
        yield from (f"{name}: {each.arg}" for each in named if each.annotation is None)
        if function.returns is None and function.name != "__init__":  # a constructor returns nothing
            yield f"{name}: return"


@pytest.mark.parametrize("package", [ROOM, PRESS], ids=["bnutils", "press"])
def test_public_functions_say_their_types(package):
    unsaid = [
        f"{name}: {each}"
        for path in sorted(package.rglob("*.py"))
        if (name := path.relative_to(package.parent).as_posix()) not in UNTYPED
        for each in types_unsaid(path.read_text(encoding="utf-8"))
    ]
    assert unsaid == []


def test_the_reader_of_types_sees_every_form():
    source = """
def f(a, /, b: int, *rest, c, **more) -> None: ...
def g(a: int): ...
def _hidden(a): ...
class Layer:
    def __init__(self, size): self.size = size
    def forward(self, x: int) -> int:
        def inner(y): ...
    @property
    def parameters(self): ...
    def _step(self, x): ...
class _Hidden:
    def method(self, x): ...
"""
    f = ["f: a", "f: rest", "f: c", "f: more"]
    assert list(types_unsaid(source)) == [*f, "g: return", "Layer.__init__: size", "Layer.parameters: return"]


def test_version_is_that_of_the_package():
    assert bnutils.__version__ == "0.1.0"
