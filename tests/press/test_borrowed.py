"""A chapter's figure on another page: found by its name, whole, and only where it is."""

import json

from press import borrowed

FIGURE = '<figure class="bn-figure" id="fig-{}"><p class="bn-links">data</p></figure>'


def test_a_figure_is_found_by_its_name_with_all_that_belongs_to_it(tmp_path):
    live = f'<div class="bn-interactive" data-figure="batch">{FIGURE.format("two")}<script>[1]</script></div>'
    outputs = [{"data": {"text/html": [FIGURE.format("one")]}}, {"name": "stdout"}, {"data": {"text/html": [live]}}]
    file = tmp_path / "chapter.ipynb"
    file.write_text(json.dumps({"cells": [{"source": "x"}, {"outputs": outputs}]}), "utf8")
    assert borrowed.figure_of(file, "two") == live
    assert borrowed.figure_of(file, "one") == FIGURE.format("one")
    assert borrowed.figure_of(file, "three") is None
    assert borrowed.figure_of(tmp_path / "other.ipynb", "two") is None
