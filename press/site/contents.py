"""Which pages there are, and what one page shows of another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.project import Project

from press.site import api

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

SEEN = ("std", "py", "math", "prf")  # the domains whose entries other pages link to
LINES = {"line", "lineno", "node"}  # where something stands, not what it is


class Contents(Project):
    """The pages that _toc.yml names, and one a module of bnutils; no folder is searched."""

    wanted: tuple[str, ...] = ()

    def discover(self, exclude_paths: Iterable[str] = (), include_paths: Iterable[str] = ("**",)) -> set[str]:
        """The names of all pages."""
        self.docnames.clear()
        self._path_to_docname.clear()
        self._docname_to_path.clear()
        for name in self.wanted:
            for suffix in ("", *self.source_suffix):
                if (Path(self.srcdir) / (path := name + suffix)).is_file():
                    self.add(path.removesuffix(Path(path).suffix), path)
                    break
        for path in api.modules(Path(self.srcdir)):
            self.add(api.page(path), path)
        return self.docnames

    def add(self, docname: str, path: str) -> None:
        self.docnames.add(docname)
        self._path_to_docname[path], self._docname_to_path[docname] = docname, path


def know_the_pages(app: Sphinx) -> None:
    """In the place of Sphinx's own search through every folder."""
    contents = Contents(app.srcdir, app.config.source_suffix)
    contents.restore(app.project)
    contents.wanted = tuple(app.config.external_site_map)
    app.project = app.env.project = contents


def dependents(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """All pages, when something changed that one page shows of another: a title, a label, a term, a reference.

    Every page names every other in its menu, and a label that is gone must be missed where it was used.
    """
    found = hashlib.sha256(repr(visible(env)).encode()).hexdigest()
    known, env.bn_visible = getattr(env, "bn_visible", found), found
    return sorted(env.found_docs) if known != found else []


def visible(env: BuildEnvironment) -> list:
    pages = [
        (
            name,
            env.titles[name].astext(),
            [(each["anchorname"], each.astext()) for each in env.tocs[name].findall(nodes.reference)],
            sorted((slug, place[1:]) for slug, place in env.metadata[name].get("myst_slugs", {}).items()),
        )
        for name in sorted(env.found_docs)
    ]
    cited = sorted({key.key for each in env.get_domain("cite").citation_refs for key in each.targets})
    others = [getattr(env, name, None) for name in ("sphinx_exercise_registry", "proof_list")]
    return [pages, cited, plain(others), plain({name: env.domaindata.get(name) for name in SEEN})]


def plain(value: object) -> object:
    """A value without order where it has none, and without the lines that it stands on."""
    if isinstance(value, nodes.Node):
        return value.astext()
    if isinstance(value, dict):
        return sorted((str(key), plain(each)) for key, each in value.items() if key not in LINES)
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, map(plain, value)))
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return plain(vars(value))
    return repr(value)


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", know_the_pages, priority=0)
    app.connect("env-updated", dependents, priority=950)
