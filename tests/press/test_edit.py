"""`press edit`: a manuscript opened and saved as a notebook is the same text but for the edit."""

import json
from pathlib import Path

import jupytext
import pytest
from jupytext.config import load_jupytext_config

from press import edit

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "manuscript").rglob("*.md"))


def by_name(source):
    return source.relative_to(ROOT / "manuscript").as_posix()


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_a_manuscript_comes_back_from_an_editor_as_it_was(source):
    config = load_jupytext_config(str(source))
    text = source.read_text("utf8")
    notebook = jupytext.reads(text, fmt="md:myst", config=config)
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13"}
    for cell in notebook.cells:  # what JupyterLab leaves behind
        cell.metadata |= {"editable": True, "slideshow": {"slide_type": ""}, "collapsed": False}
    assert jupytext.writes(notebook, fmt="md:myst", config=config) == text


def test_a_double_click_opens_a_notebook():
    """The setting stands where JupyterLab looks: labconfig, in a folder of JUPYTER_CONFIG_PATH."""
    viewers = json.loads((edit.SETTINGS / "labconfig/default_setting_overrides.json").read_text())
    assert viewers["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]["markdown"] == "Jupytext Notebook"
