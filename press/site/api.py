"""One page a module of bnutils, written from its source: signatures in the open, details folded.

Nothing is imported.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import desc, desc_content, index, pending_xref
from sphinx.ext.napoleon import NumpyDocstring
from sphinx.parsers import RSTParser
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.writers.html5 import HTML5Translator

PACKAGE = "bnutils"
FOLDER = "chapters/reference/api"
# the types of other packages have no page here: in signatures their last name stands alone
OTHERS = ("numpy.", "matplotlib.", "collections.", "typing.", "types.", "numbers.", "pathlib.", "torch.")


def modules(house: Path) -> list[str]:
    """The files of all modules that a reader may import, from the root of the book."""
    found = (file.relative_to(house) for file in (house / PACKAGE).rglob("*.py"))
    return sorted(file.as_posix() for file in found if not file.name.startswith("_"))


def page(path: str) -> str:
    """The name of a module's page: chapters/reference/api/scratch.norm for bnutils/scratch/norm.py."""
    return f"{FOLDER}/{module(path).removeprefix(PACKAGE + '.')}"


def module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def summary(source: str) -> str:
    """The first sentence of a module."""
    return " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split()).replace("`", "")


class Types(ast.NodeTransformer):
    """Types under their full names, from what the module imports."""

    def __init__(self, tree: ast.Module, name: str, package: bool = False):
        self.names = {}
        for each in ast.walk(tree):
            if isinstance(each, ast.Import):
                self.names |= {alias.asname: alias.name for alias in each.names if alias.asname}
            elif isinstance(each, ast.ImportFrom):
                parts = name.split(".")
                above = parts[: len(parts) - each.level + package] if each.level else []
                source = ".".join([*above, *filter(None, [each.module])])
                self.names |= {alias.asname or alias.name: f"{source}.{alias.name}" for alias in each.names}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.parse(self.names.get(node.id, node.id), mode="eval").body

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self.visit(ast.parse(node.value, mode="eval").body) if isinstance(node.value, str) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"  # its strings are values
        return node if literal else self.generic_visit(node)

    def text(self, node: ast.expr | None) -> str:
        return ast.unparse(self.visit(node)) if node else ""

    def signature(self, function: ast.FunctionDef, method: bool) -> str:
        given = function.args
        for each in [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]:
            if each and each.annotation:
                each.annotation = self.visit(each.annotation)
        if method and "staticmethod" not in decorators(function):
            (given.posonlyargs or given.args).pop(0)
        returned = f" -> {self.text(function.returns)}" if function.returns else ""
        return f"({ast.unparse(given)}){returned}"


def decorators(function: ast.FunctionDef) -> set[str]:
    return {each.id for each in function.decorator_list if isinstance(each, ast.Name)}


def public(node: ast.AST, *kinds: type) -> Iterator[ast.AST]:
    yield from (each for each in node.body if isinstance(each, kinds) and not each.name.startswith("_"))


def page_text(source: str, name: str, config: object) -> str:
    """The page of a module as reStructuredText."""
    tree = ast.parse(source)
    types = Types(tree, name)
    said = f"{name}, a module of the helper package: {summary(source)}"
    lines = [f".. meta::\n   :description: {said}\n", f"``{name}``", "=" * (len(name) + 4), ""]
    lines += [f".. py:module:: {name}", ""]
    lines += [rst(ast.get_docstring(tree), config), ""]
    for each in public(tree, ast.FunctionDef, ast.ClassDef):
        describe = function_text if isinstance(each, ast.FunctionDef) else class_text
        lines += [describe(each, types, config), ""]
    return "\n".join(lines)


def function_text(node: ast.FunctionDef, types: Types, config: object, method: bool = False) -> str:
    named = decorators(node)
    if "property" in named:
        said = f"   :type: {types.text(node.returns)}\n" if node.returns else ""
        return entry(f"py:property:: {node.name}\n{said}", ast.get_docstring(node), config)
    kind = "method" if method else "function"
    signature = types.signature(node, method)
    options = "".join(f"   :{each}:\n" for each in ("staticmethod", "classmethod") if each in named)
    return entry(f"py:{kind}:: {node.name}{signature}\n{options}", ast.get_docstring(node), config)


def class_text(node: ast.ClassDef, types: Types, config: object) -> str:
    made = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    signature = types.signature(made[0], True) if made else ""
    members = []
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and not each.target.id.startswith("_"):
            value = f"   :value: {ast.unparse(each.value)}\n" if each.value else ""
            members.append(f".. py:attribute:: {each.target.id}\n   :type: {types.text(each.annotation)}\n{value}\n")
    called = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__call__"]
    members += [function_text(each, types, config, method=True) for each in [*called, *public(node, ast.FunctionDef)]]
    text = entry(f"py:class:: {node.name}{signature}\n", ast.get_docstring(node), config)
    return text + "\n" + textwrap.indent("\n".join(members), "   ")


def entry(head: str, docstring: str | None, config: object) -> str:
    return f".. {head}\n{textwrap.indent(rst(docstring, config), '   ')}\n"


def rst(docstring: str | None, config: object) -> str:
    return str(NumpyDocstring(docstring or "", config))


class ModuleParser(RSTParser):
    """Reads a Python file as the page that describes it."""

    supported = ("bnutils",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """As for any text, after it was written from the source."""
        name = f"{PACKAGE}.{Path(self.env.docname).name}"
        self.env.metadata[self.env.docname]["orphan"] = True  # reached from the list of modules, not from the menu
        super().parse(page_text(inputstring, name, self.config), document)


# ------------------------------------------------------------------------------------------------ on the page


class fold(nodes.General, nodes.Element):
    """What a click opens."""


class fold_summary(nodes.General, nodes.TextElement):
    """What stands there before."""


def fold_members(app: Sphinx, doctree: nodes.document) -> None:
    """Of each member, the signature and the first sentence are seen; a click on that sentence shows the rest."""
    if not app.env.docname.startswith(f"{FOLDER}/"):
        return
    for content in doctree.findall(desc_content):
        first, *rest = [each for each in content.children if not isinstance(each, (desc, index))] or [None]
        if rest and isinstance(first, nodes.paragraph):
            members = [each for each in content.children if isinstance(each, (desc, index))]
            content.children = []
            content += [fold("", fold_summary("", "", *first.children), *rest), *members]


class Modules(SphinxDirective):
    """All modules, each with its first sentence, by the package they lie in."""

    def run(self) -> list[nodes.Node]:
        """One list a package."""
        house = Path(self.env.srcdir)
        packages = {}
        for path in modules(house):
            self.env.note_dependency(str(house / path))
            packages.setdefault(Path(path).parent, []).append(path)
        found = []
        for folder, paths in sorted(packages.items()):
            name = module(f"{folder.as_posix()}.py")
            found.append(nodes.rubric("", "", nodes.literal("", name)))
            found.append(nodes.paragraph("", summary((house / folder / "__init__.py").read_text("utf8"))))
            rows = nodes.bullet_list(classes=["bn-modules"])
            for path in paths:
                named = module(path)
                link = pending_xref(
                    "",
                    nodes.literal("", named, classes=["xref", "py", "py-mod"]),
                    reftype="mod",
                    refdomain="py",
                    reftarget=named,
                    refexplicit=True,
                )
                words = nodes.Text(" " + summary((house / path).read_text("utf8")))
                rows += nodes.list_item("", nodes.paragraph("", "", link, words))
            found.append(rows)
        return found


def find_elsewhere(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, contnode: nodes.Element
) -> nodes.Element | None:
    """What another module hands on is explained where it is written; other packages have no page here."""
    target = node.get("reftarget", "")
    if target.startswith(OTHERS):
        return contnode
    if target.startswith(f"{PACKAGE}."):
        last = "." + target.rpartition(".")[2]
        found = [name for name in env.get_domain("py").objects if name.endswith(last)]
        if len(found) == 1:
            entry = env.get_domain("py").objects[found[0]]
            return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, found[0])
    return None


def open_fold(self: HTML5Translator, node: fold) -> None:
    self.body.append('<details class="bn-member">')


def close_fold(self: HTML5Translator, node: fold) -> None:
    self.body.append("</details>\n")


def open_summary(self: HTML5Translator, node: fold_summary) -> None:
    self.body.append("<summary>")


def close_summary(self: HTML5Translator, node: fold_summary) -> None:
    self.body.append("</summary>\n")


def setup(app: Sphinx) -> None:
    app.setup_extension("sphinx.ext.napoleon")
    app.add_source_suffix(".py", "bnutils")
    app.add_source_parser(ModuleParser)
    app.add_directive("modules", Modules)
    app.add_node(fold, html=(open_fold, close_fold))
    app.add_node(fold_summary, html=(open_summary, close_summary))
    app.connect("doctree-read", fold_members)
    app.connect("missing-reference", find_elsewhere)
