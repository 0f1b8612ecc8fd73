"""Where the book is published, and what a notebook needs that is opened there without the rest of the book."""

from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

INSTALL = """import importlib.util

if importlib.util.find_spec("bnutils") is None:  # as in Colab, where this notebook stands alone
    get_ipython().run_line_magic("pip", "install --quiet 'bnutils[torch] @ git+{repository}'")"""


def repository(house: Path) -> str:
    """The address that `_config.yml` gives under `repository: {url: ...}`, or ""."""
    config = house / "_config.yml"
    settings = yaml.safe_load(config.read_text("utf8")) if config.exists() else {}
    return (settings.get("repository") or {}).get("url", "").rstrip("/")


def standing_alone(house: Path, cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells of a page; once the book has a repository, the first that runs installs bnutils where it is missing."""
    first = next((place for place, cell in enumerate(cells) if cell.cell_type == "code"), None)
    if first is None or not (address := repository(house)):
        return cells
    cell = nbformat.v4.new_code_cell(INSTALL.format(repository=address), metadata={"tags": ["remove-cell"]})
    return [*cells[:first], cell, *cells[first:]]
