"""Interactive figures: a static one that is complete by itself, and the data with which the page makes it answer.

``show`` publishes one bundle: the static figure and, beside it, the arrays as JSON. The scripts of the page
(``press/static/interactive``) put sliders there; without scripts, in Jupyter and on GitHub the static figure remains.
"""

import json

import numpy as np
from matplotlib.figure import Figure

from . import evidence, figures, plots

# what each kind of figure is given: the name of an array -> what it holds; the scripts read the same names
KINDS = {
    "transform": {
        "populations": "a dict from a name to the values that batches are drawn from",
        "order": "whole numbers from 0: which values follow one another in the batches",
    },
    "backpropagation": {
        "x": "the batch, 4 or more values that differ",
        "gamma": "the scale",
        "random": "the upstream gradient shown at first, one value for each of x",
    },
    "running": {
        "population": "the values that batches are drawn from, not all equal",
        "order": "whole numbers from 0: which values follow one another in the batches",
    },
    "profile": {
        "profiles": "activation -> init scale -> depth -> 'without' and 'with' -> lowest, median and highest log10 of "
        "the gradient norm, (3, depth), from the first layer on"
    },
    "batch": {
        "values": "the values that batches are drawn from",
        "order": "whole numbers from 0: which values follow one another in the batches",
    },
    "scrub": {
        "steps": "the steps of training that were recorded, whole numbers that increase, (T,)",
        "layers": "layer -> 'edges' of the bins, (B + 1,), and 'without' and 'with' of each of 'counts', (T, B), "
        "'percentiles', 15, 50 and 85, (T, 3), and 'shift', the change of the gradient, positive, (T,)",
    },
}
LARGEST = 60_000  # bytes of data, before they are compressed


def show(name: str, *, figure: str, data: dict, alt: str, static: Figure, caption: str | None = None) -> None:
    """Show a figure that the reader can change, with a static one for where that cannot be.

    Parameters
    ----------
    name : str
        lower-case letters, digits and hyphens; unique on its page
    figure : str
        the kind, one of ``KINDS``
    data : dict
        what the kind asks for, in arrays; floats as they should stand on the page, so round them first
    alt : str
        of the static figure: axes, trend and one number, made from the data at run time
    static
        what ``plots.figure`` gave, drawn; it should show the settings that the interactive one starts with, and its
        title should hold at all of them
    caption : str
        as for ``plots.show``

    Raises
    ------
    ValueError
        a kind that is not there, data that do not fit it, or what ``plots.show`` refuses
    """
    if figure not in KINDS:
        raise ValueError(f"expected a figure among {', '.join(KINDS)}, got {figure!r}")
    _check(figure, data)
    bundle = plots.bundle(static, name, alt=alt, caption=caption)
    content = json.dumps(_plain(data), separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
    if (size := len(content.encode())) > LARGEST:
        raise ValueError(
            f"expected at most {LARGEST} bytes of data, got {size}: round the values, or record fewer of them"
        )
    bundle["text/html"] = (
        f'<div class="bn-interactive" data-figure="{figure}" data-name="{name}">\n{bundle["text/html"]}\n'
        f'<script type="application/json">{content}</script>\n</div>'
    )
    evidence.display(figures.with_record(bundle, name))


def _plain(value):
    """Arrays as lists and NumPy scalars as Python's, -0.0 as 0.0."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"expected arrays of numbers, got {array.dtype}: {value!r}")
    if not np.isfinite(array).all():
        raise ValueError("expected finite numbers in the data of a figure, got nan or infinity; JSON has none of them")
    return (array + 0).tolist() if array.dtype.kind != "f" else (array + 0.0).tolist()


def _check(figure, data):
    wanted = KINDS[figure]
    if set(data) != set(wanted):
        asked = "; ".join(f"{key}: {what}" for key, what in wanted.items())
        raise ValueError(
            f"expected data with {', '.join(wanted)} for {figure!r}, got {', '.join(data) or 'none'} ({asked})"
        )
    if figure == "transform":
        sizes = {key: np.size(values) for key, values in data["populations"].items()}
        if len(set(sizes.values())) != 1:
            raise ValueError(f"expected populations of one size, got {sizes or 'none'}")
        _check_order(data["order"], *set(sizes.values()), fewest=128)
    if figure == "backpropagation":
        x, upstream = np.asarray(data["x"]), np.asarray(data["random"])
        if x.ndim != 1 or x.size < 4 or x.min() == x.max() or upstream.shape != x.shape:
            raise ValueError(
                "expected x of 4 or more values that differ, and random like it, "
                f"got shapes {x.shape} and {upstream.shape}"
                + (", all values equal" if x.size and x.min() == x.max() else "")
            )
    if figure == "running":
        values = np.asarray(data["population"])
        if values.ndim != 1 or not values.size or values.min() == values.max():
            raise ValueError(
                f"expected a population of values that differ, got shape {values.shape}"
                + (", all values equal" if values.size else "")
            )
        batches, largest = 128, 32  # as many as the page offers
        _check_order(data["order"], values.size, fewest=batches * largest)
    if figure == "batch":
        if np.ndim(data["values"]) != 1 or np.ptp(data["values"]) == 0:
            raise ValueError(f"expected values that differ, got shape {np.shape(data['values'])}")
        _check_order(data["order"], np.size(data["values"]), fewest=64)
    if figure == "scrub":
        _check_scrub(data["steps"], data["layers"])
    if figure == "profile":
        depths = [
            (depth, sides)
            for scales in data["profiles"].values()
            for by_depth in scales.values()
            for depth, sides in by_depth.items()
        ]
        if not depths:
            raise ValueError("expected profiles of one activation, scale and depth or more, got none")
        for depth, sides in depths:
            shapes = {side: np.shape(rows) for side, rows in sides.items()}
            if shapes != dict.fromkeys(("without", "with"), (3, int(depth))) or int(depth) < 2:
                raise ValueError(
                    f"expected rows 'without' and 'with' of shape (3, {depth}), depth 2 or more, got {shapes}"
                )
            if any((rows[:-1] > rows[1:]).any() for rows in map(np.asarray, sides.values())):
                raise ValueError(
                    f"expected lowest, median and highest in this order at depth {depth}, got rows that cross"
                )


def _check_scrub(steps, layers):
    steps = np.asarray(steps)
    if steps.dtype.kind not in "iu" or steps.ndim != 1 or steps.size < 2 or (np.diff(steps) <= 0).any():
        raise ValueError(f"expected two or more steps, whole numbers that increase, got {steps!r}")
    if not layers:
        raise ValueError("expected one layer or more, got none")
    for name, layer in layers.items():
        if set(layer) != {"edges", "counts", "percentiles", "shift"}:
            raise ValueError(f"expected edges, counts, percentiles and shift for {name!r}, got {', '.join(layer)}")
        edges, t = np.asarray(layer["edges"]), steps.size
        wanted = {"counts": (t, edges.size - 1), "percentiles": (t, 3), "shift": (t,)}
        for part, shape in wanted.items():
            shapes = {side: np.shape(values) for side, values in layer[part].items()}
            if shapes != dict.fromkeys(("without", "with"), shape):
                raise ValueError(f"expected {part} of {name!r} 'without' and 'with', of shape {shape}, got {shapes}")
        if (np.diff(edges) <= 0).any():
            raise ValueError(f"expected edges of {name!r} that increase, got {layer['edges']!r}")
        for side, rows in layer["percentiles"].items():
            if (np.diff(rows) < 0).any() or np.less_equal(np.ptp(rows, axis=1), 0).any():
                raise ValueError(
                    f"expected percentiles 15, 50, 85 of {name!r} that rise, {side!r} has some that do not"
                )
            if np.less_equal(layer["shift"][side], 0).any() or np.asarray(layer["counts"][side]).dtype.kind not in "iu":
                raise ValueError(f"expected whole counts and a positive shift of {name!r}, {side!r} has others")


def _check_order(order, size, *, fewest):
    order = np.asarray(order)
    if order.dtype.kind not in "iu" or order.ndim != 1 or order.size < fewest or order.min() < 0 or order.max() >= size:
        raise ValueError(
            f"expected an order of {fewest} or more whole numbers from 0 to {size - 1}, "
            f"got {order.size} of {order.dtype}" + (f" from {order.min()} to {order.max()}" if order.size else "")
        )
