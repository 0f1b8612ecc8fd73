"""A style sheet without the rules that no page of the site can match."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import tinycss2

if TYPE_CHECKING:
    from tinycss2.ast import Node

NAMED = re.compile(r'\s(?:class|id)="([^"]*)"')
WORD = re.compile(r"[\w-]+")
GROUPS = {"media", "supports", "layer", "container"}  # rules that hold rules


def names_of(pages: Iterable[Path]) -> set[str]:
    """The classes and ids of these pages."""
    return {name for page in pages for given in NAMED.findall(page.read_text("utf8")) for name in given.split()}


def words_of(scripts: Iterable[Path]) -> set[str]:
    """Every word of these scripts: a class that one of them adds is among them."""
    return {word for script in scripts for word in WORD.findall(script.read_text("utf8"))}


def prune(css: str, names: set[str]) -> tuple[str, set[str]]:
    """The rules that a page with these names can match, and the names that the other rules waited for.

    A selector stays when each class and each id in it is among the names; what stands in ``:not()``, ``:is()`` and
    the like is not looked at.
    """
    missing: set[str] = set()
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return "\n".join(kept(rules, names, missing)), missing


def kept(rules: list[Node], names: set[str], missing: set[str]) -> list[str]:
    lines = []
    for rule in rules:
        if rule.type == "qualified-rule":
            asked = [(selector, wanted(selector) - names) for selector in selectors(rule.prelude)]
            missing.update(*(lacking for _, lacking in asked))
            matching = [tinycss2.serialize(selector).strip() for selector, lacking in asked if not lacking]
            if matching:
                lines.append(f"{','.join(matching)}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in GROUPS and rule.content is not None:
            inner = kept(tinycss2.parse_rule_list(rule.content, True, True), names, missing)
            if inner:
                lines.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{''.join(inner)}}}")
        else:
            lines.append(rule.serialize())
    return lines


def selectors(prelude: list[Node]) -> list[list[Node]]:
    """A list of selectors, taken apart at its commas."""
    found: list[list[Node]] = [[]]
    for node in prelude:
        if node.type == "literal" and node.value == ",":
            found.append([])
        else:
            found[-1].append(node)
    return found


def wanted(selector: list[Node]) -> set[str]:
    """The classes and the ids that something must have to match."""
    names = {node.value for node in selector if node.type == "hash"}
    for before, node in pairwise(selector):
        if node.type == "ident" and before.type == "literal" and before.value == ".":
            names.add(node.value)
    return names
