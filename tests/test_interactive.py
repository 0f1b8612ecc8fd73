"""Interactive figures without a browser: one bundle, complete by itself, with data that fit their figure."""

import base64
import gzip
import json
import re
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from bs4 import BeautifulSoup

from bnutils import evidence, figures, interactive, plots

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "press/static/interactive"
HTML = ROOT / "_build/html"


def transform():
    rng = np.random.default_rng(3)
    values = rng.normal(size=50).round(3)
    return {
        "populations": {"a unit": values, "</script> & é": np.maximum(values, 0)},
        "order": rng.integers(0, 50, 300),
    }


def backpropagation():
    rng = np.random.default_rng(4)
    return {"x": rng.normal(size=8).round(3), "gamma": 1.5, "random": rng.normal(size=8).round(3)}


def running():
    rng = np.random.default_rng(5)
    return {"population": rng.normal(2, 2, size=50).round(3), "order": rng.integers(0, 50, 128 * 32)}


def profile():
    rng = np.random.default_rng(5)
    return {
        "profiles": {
            activation: {
                scale: {
                    str(depth): {
                        side: np.sort(rng.normal(-9, 4, (3, depth)).round(3), axis=0) for side in ("without", "with")
                    }
                    for depth in (4, 6)
                }
                for scale in ("0.1", "1")
            }
            for activation in ("tanh", "ReLU")
        }
    }


def crossed(**change):
    return {"profiles": {"tanh": {"1": {"4": {"without": np.zeros((3, 4)), "with": np.zeros((3, 4))} | change}}}}


def batch():
    rng = np.random.default_rng(6)
    return {"values": rng.normal(size=50).round(2), "order": rng.integers(0, 50, 128)}


def scrub():
    rng = np.random.default_rng(7)
    layer = {
        "edges": np.linspace(-3, 3, 7),
        "counts": {side: rng.integers(0, 90, (5, 6)) for side in ("without", "with")},
        "percentiles": {side: np.sort(rng.normal(size=(5, 3)), axis=1).round(2) for side in ("without", "with")},
        "shift": {side: rng.uniform(1, 2, 5).round(3) for side in ("without", "with")},
    }
    return {"steps": np.array([0, 1, 2, 5, 10]), "layers": {"layer 2": layer}}


def scrubbed(**change):
    data = scrub()
    return data | {"layers": {"layer 2": data["layers"]["layer 2"] | change}}


def sides(values):
    return {"without": values, "with": values}


DATA = {
    "transform": transform,
    "backpropagation": backpropagation,
    "running": running,
    "profile": profile,
    "batch": batch,
    "scrub": scrub,
}


def show(name="try", figure="transform", data=None, alt="A line rises from 0 to 1."):
    """Show an interactive figure and return its bundle."""
    held = []
    fig, ax = plots.figure("A line rises")
    ax.plot([0, 1], [0, 1])
    data = DATA[figure]() if data is None and figure in DATA else data
    with mock.patch.object(evidence, "display", held.append):
        assert interactive.show(name, figure=figure, data=data, alt=alt, static=fig) is None
    (bundle,) = held
    return bundle


def parsed(bundle):
    return BeautifulSoup(bundle["text/html"], "html.parser").find("div", class_="bn-interactive")


def data_of(bundle):
    return json.loads(parsed(bundle).find("script", type="application/json").string)


def test_one_bundle_holds_the_static_figure_and_the_data():
    bundle = show()
    assert set(bundle) == {"text/html", "image/png", "text/plain", figures.MIME}
    assert figures.faults_of(bundle) == []
    assert bundle["text/plain"] == "A line rises from 0 to 1."
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    place = parsed(bundle)
    assert (place["data-figure"], place["data-name"]) == ("transform", "try")
    assert place.select_one("figure.bn-figure#fig-try > .bn-figure-title").text == "A line rises"
    drawing = place.select_one("figure.bn-figure#fig-try svg")
    assert drawing["role"] == "img" and drawing["aria-label"] == bundle["text/plain"]


def test_the_static_figure_is_the_one_that_plots_shows():
    held = []
    fig, ax = plots.figure("A line rises")
    ax.plot([0, 1], [0, 1])
    with mock.patch.object(evidence, "display", held.append):
        plots.show(fig, "try", alt="A line rises from 0 to 1.")
    assert held[0]["text/html"] in show()["text/html"]
    assert held[0]["image/png"] == show()["image/png"]


@pytest.mark.parametrize("figure", interactive.KINDS)
def test_two_runs_give_the_same_bytes(figure):
    assert show(figure=figure) == show(figure=figure)


def test_the_data_arrive_as_they_were():
    given, found = transform(), data_of(show())
    assert found["order"] == given["order"].tolist()
    assert found["populations"] == {name: values.tolist() for name, values in given["populations"].items()}
    assert data_of(show(figure="backpropagation"))["gamma"] == 1.5


def test_no_text_of_the_data_ends_the_script():
    html = show()["text/html"]
    assert html.count("</script>") == 1
    assert "</script> & é" in data_of(show())["populations"]


def test_no_minus_zero_is_written():
    data = backpropagation() | {"random": np.array([-0.0, 1, 2, 3, 4, 5, 6, 7])}
    assert not re.search(r"-0\.0[],]", show(figure="backpropagation", data=data)["text/html"])


def test_nbval_compares_the_data_but_not_the_drawing():
    patterns = re.findall(r"regex: (.*)\nreplace: (.*)", (ROOT / "press/sanitize.ini").read_text())

    def compared(html):
        for pattern, replacement in patterns:
            html = re.sub(pattern, replacement, html)
        return html

    one, other = (
        compared(show()["text/html"]),
        compared(show(data=transform() | {"order": np.zeros(128, int)})["text/html"]),
    )
    assert one != other
    assert "<path" not in one and '"order":[' in one


def without(data, key):
    return {name: values for name, values in data.items() if name != key}


@pytest.mark.parametrize(
    "change, says",
    [
        (
            {"figure": "pie"},
            "expected a figure among transform, backpropagation, running, profile, batch, scrub, got 'pie'",
        ),
        (
            {"data": without(transform(), "order")},
            "expected data with populations, order for 'transform', got populations .*whole numbers",
        ),
        ({"data": transform() | {"more": 1}}, "got populations, order, more"),
        ({"data": transform() | {"order": np.arange(300)}}, "from 0 to 49, got 300 of int64 from 0 to 299"),
        ({"data": transform() | {"order": np.zeros(127, int)}}, "an order of 128 or more .* got 127"),
        ({"data": transform() | {"order": np.zeros(300)}}, "whole numbers .* got 300 of float64"),
        ({"data": transform() | {"order": []}}, "an order of 128 or more .* got 0"),
        ({"data": transform() | {"populations": {}}}, "populations of one size, got none"),
        ({"data": transform() | {"populations": {"a": np.ones(50), "b": np.ones(40)}}}, "of one size, got .*'b': 40"),
        ({"data": transform() | {"populations": {"a": np.full(50, np.nan)}}}, "finite numbers .* got nan or infinity"),
        ({"data": transform() | {"populations": {"a": ["x"] * 50}}}, "arrays of numbers, got <U1"),
        (
            {"figure": "backpropagation", "data": backpropagation() | {"x": np.ones(8)}},
            "x of 4 or more values that differ.*all values equal",
        ),
        (
            {"figure": "backpropagation", "data": backpropagation() | {"random": np.ones(7)}},
            r"got shapes \(8,\) and \(7,\)",
        ),
        ({"figure": "backpropagation", "data": backpropagation() | {"x": []}}, r"got shapes \(0,\)"),
        (
            {"figure": "running", "data": running() | {"population": np.ones(50)}},
            "values that differ, .*all values equal",
        ),
        ({"figure": "running", "data": running() | {"population": []}}, r"values that differ, got shape \(0,\)"),
        (
            {"figure": "running", "data": running() | {"order": np.zeros(4095, int)}},
            "an order of 4096 or more .* got 4095",
        ),
        (
            {"figure": "running", "data": running() | {"order": np.full(4096, 50)}},
            "from 0 to 49, got 4096 of int64 from 50 to 50",
        ),
        ({"figure": "profile", "data": {"profiles": {}}}, "one activation, scale and depth or more, got none"),
        ({"figure": "profile", "data": crossed(more=np.zeros((3, 4)))}, "'without' and 'with' of shape"),
        (
            {"figure": "profile", "data": crossed(without=np.zeros((3, 5)))},
            r"of shape \(3, 4\), depth 2 or more, got .*\(3, 5\)",
        ),
        (
            {"figure": "profile", "data": crossed(without=np.array([[0.0] * 4, [1.0] * 4, [0.5] * 4]))},
            "at depth 4, got rows that cross",
        ),
        (
            {"figure": "profile", "data": crossed(without=np.full((3, 4), -np.inf))},
            "finite numbers .* got nan or infinity",
        ),
        ({"figure": "batch", "data": batch() | {"values": np.ones(50)}}, r"values that differ, got shape \(50,\)"),
        ({"figure": "batch", "data": batch() | {"order": np.zeros(63, int)}}, "an order of 64 or more .* got 63"),
        ({"figure": "scrub", "data": scrub() | {"steps": np.array([0, 1, 1, 5, 10])}}, "whole numbers that increase"),
        ({"figure": "scrub", "data": scrub() | {"layers": {}}}, "one layer or more, got none"),
        ({"figure": "scrub", "data": scrubbed(more=1)}, "for 'layer 2', got edges, counts, percentiles, shift, more"),
        (
            {"figure": "scrub", "data": scrubbed(counts=sides(np.ones((5, 7), int)))},
            r"counts of 'layer 2' .* of shape \(5, 6\), got .*\(5, 7\)",
        ),
        ({"figure": "scrub", "data": scrubbed(shift={"with": np.ones(5)})}, "shift of 'layer 2' 'without' and 'with'"),
        ({"figure": "scrub", "data": scrubbed(edges=np.zeros(7))}, "edges of 'layer 2' that increase"),
        (
            {"figure": "scrub", "data": scrubbed(percentiles=sides(np.tile([1, 0, 2], (5, 1))))},
            "that rise, 'without' has some",
        ),
        ({"figure": "scrub", "data": scrubbed(percentiles=sides(np.ones((5, 3))))}, "that rise, 'without' has some"),
        ({"figure": "scrub", "data": scrubbed(shift=sides(np.zeros(5)))}, "a positive shift of 'layer 2'"),
        ({"figure": "scrub", "data": scrubbed(counts=sides(np.ones((5, 6))))}, "whole counts"),
        ({"figure": "batch", "data": batch() | {"values": np.arange(9000) / 7}}, "at most 60000 bytes of data, got 1"),
        ({"alt": ""}, "expected alt text"),
        ({"name": "Two words"}, "expected a name"),
    ],
)
def test_what_does_not_fit_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        show(**change)


def test_every_kind_has_its_script():
    assert {file.stem for file in SCRIPTS.glob("*.js")} == {"base", *interactive.KINDS}
    for kind in interactive.KINDS:
        assert f'define("{kind}", {{' in (SCRIPTS / f"{kind}.js").read_text("utf8")


def test_library_and_own_code_are_light():
    library = (ROOT / "node_modules/preact/dist/preact.min.umd.js").read_bytes()
    shared = b"".join((SCRIPTS / name).read_bytes() for name in ("base.js", "interactive.css"))
    kinds = [(SCRIPTS / f"{kind}.js").read_bytes() for kind in interactive.KINDS]
    assert len(gzip.compress(library)) < 6_000
    assert max(len(gzip.compress(shared + kind)) for kind in kinds) < 12_000  # a page has one kind, or two


def test_scripts_and_style_ask_for_nothing():
    for file in SCRIPTS.glob("*"):
        assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\b|url\(|@import", file.read_text("utf8")), (
            file.name
        )


def test_no_class_of_the_style_is_put_together():
    """The build drops the rules of classes that it finds in no script and no page, so each stands there whole."""
    used = " ".join(file.read_text("utf8") for file in SCRIPTS.glob("*.js")) + show()["text/html"]
    classes = set(re.findall(r"\.(bn-[a-z]+)", (SCRIPTS / "interactive.css").read_text("utf8")))
    assert len(classes) > 20 and [each for each in classes if not re.search(rf"\b{each}\b(?!-)", used)] == []


def test_pages_load_the_scripts_of_their_figures_and_no_others():
    assert HTML.exists(), "the book is not built; run `make book`"
    kinds_seen = set()
    for file in HTML.rglob("*.html"):
        if "_static" in file.parts:
            continue
        text = file.read_text("utf8")
        tags = BeautifulSoup("</script>".join(re.findall(r"<(?:div|script)\b[^>]*>", text)), "html.parser")
        kinds = {place["data-figure"] for place in tags.select("div.bn-interactive")}
        scripts = tags.find_all("script", src=re.compile("/interactive/"))
        loaded = [Path(script["src"].split("?")[0]).stem for script in scripts]
        assert loaded == (["preact", "base", *sorted(kinds)] if kinds else []), file.name
        assert all(script.has_attr("defer") for script in scripts)
        kinds_seen |= kinds
    assert "transform" in kinds_seen
