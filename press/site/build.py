"""One Sphinx, with the settings of a Jupyter Book; a page is written again when it, or what it shows, changed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PLACE = Path("_build")
TEMPLATES = Path(__file__).parent / "templates"
STATE = "site.json"
PAGES = ("index.md", "chapters", "bnutils")  # a text that changed is read again by itself
TEXTS = (".md", ".ipynb", ".py")
REST = (
    "_config.yml",
    "_toc.yml",
    "_moved.yml",
    "manuscript/contents.yml",
    "references.bib",
    "press",
    "package-lock.json",
    "constraints.txt",
)
ADDRESSES = ("BOOK_URL", "BOOK_REPOSITORY")
UNUSED = {  # what a Jupyter Book loads, and this one never calls
    "sphinx_thebe",
    "sphinx_comments",
    "sphinx.ext.intersphinx",
}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def main(house: Path) -> int:
    """Build what is due; returns 0, or 1 after a warning or a failure, and then nothing is left of the site."""
    out = house / PLACE
    before, now = read_state(out), state(house)
    if before == now and (out / "html" / "index.html").exists():
        return 0
    print("building the pages ...", flush=True)
    known, pages = before.get("pages", {}), now["pages"]
    if before.get("rest") != now["rest"] or known.keys() != pages.keys() or not (out / "html" / "index.html").exists():
        discard(out)
    changed = {path for path in pages if pages[path] != known.get(path)}
    (out / STATE).unlink(missing_ok=True)  # a build that is stopped starts from nothing the next time
    said = io.StringIO()
    try:
        with sphinx(house, out / "html", out / ".doctrees", said, warningiserror=True, keep_going=True) as app:
            app.connect("env-get-outdated", lambda app, env, added, *_: again(app, changed) - added)
            app.build()
            failed = app.statuscode != 0
    except Exception as error:
        failed = True
        said.write(f"{type(error).__name__}: {error}")
    if failed:
        discard(out)
        print(COLOURS.sub("", said.getvalue()).strip(), file=sys.stderr)
        return 1
    (out / STATE).write_text(json.dumps(now), "utf8")
    return 0


@contextmanager
def sphinx(
    house: Path, html: Path, doctrees: Path, warnings: TextIO, *, publishing: bool = True, **options: bool
) -> Iterator[Sphinx]:
    """Sphinx as a Jupyter Book would start it, without what this book does not use."""
    from jupyter_book.config import get_final_config  # half a second, which a build that has nothing to do saves
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    given = {"external_toc_path": str(house / "_toc.yml"), "latex_individualpages": False, "nitpicky": True}
    config, _ = get_final_config(user_yaml=house / "_config.yml", cli_config=given, sourcedir=house)
    config["extensions"] = [each for each in config["extensions"] if each not in UNUSED]
    config.pop("comments_config", None)  # of an extension that is not loaded
    config["external_toc_exclude_missing"] = False  # it looks through all folders; press.site.contents knows the pages
    config["templates_path"] = [str(TEMPLATES)]
    config["publishing"] = publishing
    with patch_docutils(), docutils_namespace():
        yield Sphinx(house, None, html, doctrees, "html", config, status=None, warning=warnings, **options)


def discard(out: Path) -> None:
    for name in ("html", ".doctrees"):
        shutil.rmtree(out / name, ignore_errors=True)


# ------------------------------------------------------------------------------------------------ what changed


def state(house: Path) -> dict:
    """Digests: of every page by its path, of everything else that a page is made of, at once."""
    rest = hashlib.sha256(repr([os.environ.get(name) for name in ADDRESSES]).encode())
    sources = list(files(house, PAGES))
    pages = {
        file.relative_to(house).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sources
        if file.suffix in TEXTS
    }
    for file in [*files(house, REST), *(file for file in sources if file.suffix not in TEXTS)]:
        rest.update(f"{file.relative_to(house)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return {"rest": rest.hexdigest(), "pages": pages}


def files(house: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        path = house / name
        if path.is_dir():
            yield from sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(file.parts)
            )
        elif path.exists():
            yield path


def read_state(out: Path) -> dict:
    try:
        return json.loads((out / STATE).read_text("utf8"))
    except (OSError, ValueError):
        return {}


def again(app: Sphinx, paths: set[str]) -> set[str]:
    """The pages of these files: a copied file may be older than the page that it changes."""
    return {name for path in paths if (name := app.project.path2doc(path))} & app.env.found_docs
