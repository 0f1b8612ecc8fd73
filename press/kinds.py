"""What a code cell is, by its tag, and what it holds, by its syntax tree. Standard library only: pages need it too."""

import ast

TAGS = {"setup", "evidence", "hide-input", "tab-numpy", "tab-pytorch", "exercise", "solution"}
FOLDED = {"setup", "evidence", "hide-input", "solution"}  # their code lies behind a bar, in Jupyter too
KEEPS = {"exact", "measured", "judge"}


def keeping(tree: ast.AST) -> list[ast.Assert | ast.Call]:
    """What makes a cell evidence: asserts, and calls that keep a number or judge a claim."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and (called(node) in KEEPS or called(node).startswith("assert_")))
    ]


def proof(node: ast.Assert | ast.Call) -> str:
    """The word that makes it evidence."""
    return "assert" if isinstance(node, ast.Assert) else called(node)


def drawings(tree: ast.AST) -> list[ast.Call]:
    """What shows a figure."""
    return [call for call in calls(tree) if ast.unparse(call.func) in ("plots.show", "interactive.show")]


def names_kept(tree: ast.AST) -> set[str]:
    """The numbers that a cell keeps under a name."""
    kept = [call for call in calls(tree) if called(call) in ("exact", "measured")]
    return {keyword.arg for call in kept for keyword in call.keywords if keyword.arg}


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def filled(source: str) -> int:
    """Lines that are not blank."""
    return sum(bool(line.strip()) for line in source.split("\n"))


def sentence(source: str) -> str:
    """The comment that a cell begins with, "" if it does not: what its bar says."""
    first = source.split("\n", 1)[0]
    return first.lstrip("#").strip() if first.startswith("#") else ""
