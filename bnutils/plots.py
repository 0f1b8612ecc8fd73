"""One look for every figure: two fixed colours, both page themes, alt text, the same bytes on every run."""

import base64
import io
import re
import textwrap
from html import escape
from itertools import groupby, pairwise
from typing import Any
from urllib.parse import quote

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from . import evidence, sample

INK = "#0b0c0d"  # text and axes: near-black in the PNG, currentColor in the SVG
WITH, WITHOUT = "#0072b2", "#d55e00"  # with BN, without BN, through the whole book
PALETTE = (WITH, WITHOUT, "#008f68", "#b8619a", "#8a7a00", "#767f8a")  # >= 3:1 on white and on the dark page, #14181e
PAPER = "var(--pst-color-background, Canvas)"  # what white becomes in the SVG: the page behind the figure

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "lines.linewidth": 2.0,
    "legend.frameon": False,
    "figure.titleweight": "bold",
    "svg.fonttype": "none",
    "svg.hashsalt": "bnutils",
}


def figure(
    title: str, *, columns: int = 1, rows: int = 1, height: float = 3.2, **subplots: Any
) -> tuple[Figure, Axes | np.ndarray]:
    """A figure whose title answers its question.

    Parameters
    ----------
    title : str
        the answer, in one sentence; wrapped and set at the left
    columns, rows : int
        of axes
    height : float
        of one row, in inches
    **subplots
        for ``Figure.subplots``, such as ``sharey=True``

    Returns
    -------
    tuple
        ``(fig, axes)``: one axes object, or an array of them as ``Figure.subplots`` gives it
    """
    width, size = (5.4, 11) if columns == 1 else (6.8, 12)  # wide figures shrink more on a phone: larger type
    with matplotlib.rc_context(STYLE | {"font.size": size, "figure.titlesize": size + 1}):
        fig = Figure(figsize=(width, height * rows), layout="constrained")
        FigureCanvasAgg(fig)
        lines = textwrap.wrap(title, int(width * 72 / (0.62 * (size + 1))))
        fig.suptitle("\n".join(lines), x=0.01, horizontalalignment="left")
        axes = fig.subplots(rows, columns, **subplots)
        for ax in fig.axes:  # ticks are born later, outside this style
            ax.tick_params(which="both", colors=INK, labelsize=size - 1, grid_color=INK, grid_alpha=0.15)
    return fig, axes


def band(
    ax: Axes, x: np.ndarray, rows: np.ndarray, color: str, *, name: str | None = None, **line: Any
) -> list[sample.Sample]:
    """Draw a quantity over seeds: the median as a line, lowest to highest as a band around it.

    Parameters
    ----------
    ax
        the axes
    x : (points,)
        where the points stand
    rows : (seeds, points)
        the values, one curve a seed
    color : str
        of line and band
    name : str
        written at the end of the line; nothing if not given
    **line
        for ``Axes.plot``

    Returns
    -------
    list of Sample
        one a point, for the alt text and the numbers
    """
    points = sample.columns(rows)
    middle = [point.median for point in points]
    ax.fill_between(x, *zip(*((p.lowest, p.highest) for p in points)), color=color, alpha=0.2, linewidth=0)
    ax.plot(x, middle, **{"color": color} | line)
    if name:
        label(ax, x[-1], middle[-1], name, color)
    return points


def label(ax: Axes, x: float, y: float, text: str, color: str, **options: Any) -> None:
    """Write ``text`` beside the point (x, y), in the colour of the line it names.

    Parameters
    ----------
    ax
        the axes
    x, y : float
        the point, in data coordinates
    text : str
        the label
    color : str
        the colour, such as ``WITH``
    **options
        for ``Axes.annotate``; ``xytext`` is the offset in points, (5, 0) if not given
    """
    options = {
        "xytext": (5, 0),
        "textcoords": "offset points",
        "verticalalignment": "center",
        "fontweight": "bold",
        "fontsize": ax.xaxis.label.get_size(),
        "annotation_clip": False,
    } | options
    ax.annotate(text, (x, y), color=color, **options)


def show(fig: Figure, name: str, *, alt: str) -> None:
    """Show a figure as themed inline SVG, with a PNG for viewers that drop it, and clear it.

    Parameters
    ----------
    fig
        what ``figure`` gave
    name : str
        lower-case letters, digits and hyphens; unique on its page
    alt : str
        axes, trend and one number, made from the data at run time

    Raises
    ------
    ValueError
        an empty ``alt``, or a ``name`` that cannot be an id
    """
    evidence.display(bundle(fig, name, alt=alt))


def bundle(fig: Figure, name: str, *, alt: str) -> dict[str, str]:
    """What `show` displays, as a dict from MIME type to content; the figure is cleared.

    Takes and raises what `show` does.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"expected alt text that says what the figure shows, got {alt!r}; make it from the data")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"expected a name of lower-case letters, digits and hyphens, got {name!r}")
    png = _render(fig, "png", dpi=144, facecolor="white", metadata={"Software": None})
    svg = _themed(
        _render(fig, "svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))).decode(),
        name,
        " ".join(alt.split()),
    )
    data = f'<a download="{name}.csv" href="data:text/csv;charset=utf-8,{quote(_csv(fig))}">data (CSV)</a>'
    fig.clear()
    return {
        "text/plain": alt,
        "image/png": base64.b64encode(png).decode(),
        "text/html": f'<figure class="bn-figure" id="fig-{name}">\n{svg}\n<figcaption>{data}</figcaption>\n</figure>',
    }


def _csv(fig):
    """What the figure draws, as lines ``panel,series,x,y`` to 5 digits: lines, dots, and bars by their middle."""
    rows = ["panel,series,x,y"]
    for panel, ax in enumerate(fig.axes, 1):
        series = [(line.get_label(), *line.get_data()) for line in ax.lines if line.get_transform() == ax.transData]
        series += [(dots.get_label(), *dots.get_offsets().T) for dots in ax.collections if len(dots.get_offsets()) > 1]
        bars = [(p.get_x() + p.get_width() / 2, p.get_height()) for p in ax.patches if hasattr(p, "get_height")]
        series += [("bars", *zip(*bars))] if bars else []
        for number, (label, xs, ys) in enumerate(series, 1):
            label = f"series {number}" if label.startswith("_") else label.replace(",", ";")
            rows += [f"{panel},{label},{x:.5g},{y:.5g}" for x, y in zip(xs, ys)]
    return "\n".join(rows) + "\n"


def _render(fig, kind, **options):
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        fig.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def _themed(svg, name, alt):
    """The SVG for the page: its own ids, no fixed ink, paper or font, no rule that reaches beyond it."""
    width, height = (float(size) for size in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    body = re.sub(r"<!--.*?-->|<style.*?</style>|<metadata.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"font-family: [^;\"]*(; )?", "", body)  # the page's font
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#|url\(#', lambda start: f"{start[0]}{name}-", body)
    body = re.sub(f"{INK}|#000000", "currentColor", body).replace("#ffffff", PAPER)
    body = re.sub(r"\s*\n\s*", "\n", body)
    body = re.sub(r"(?:<tspan [^>]*>[^<]*</tspan>\s*)+", _flow, body)
    body = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{3,}", _short, tag[0]), body).replace("xlink:href", "href")
    body = re.sub(
        r'<g([^>]*)>\n((?:<use href="[^"]*" x="[^"]*" y="[^"]*" (style="[^"]*")/>\n)(?:<use [^>]*\3/>\n)+)</g>',
        _shared,
        body,
    )
    circles = re.findall(r'<path id="([^"]*)" d="M 0 ([\d.]+)\n(?:C [^\n]*\n){8}z\n"', body)  # eight arcs
    for marker, radius in circles:
        body = re.sub(rf'<use href="#{marker}" x="([^"]*)" y="([^"]*)"', rf'<circle r="{radius}" cx="\1" cy="\2"', body)
    return (
        f'<svg role="img" aria-label="{escape(alt)}" viewBox="0 0 {width:g} {height:g}" fill="currentColor"'
        f' style="width: 100%; max-width: {width * 4 / 3:.0f}px; height: auto; font-family: inherit;'
        ' stroke-linejoin: round; stroke-linecap: butt"'
        ' xmlns="http://www.w3.org/2000/svg">' + body + "</svg>"
    )


def _short(number):
    """A coordinate to a hundredth of a point: less than any screen shows."""
    return f"{round(float(number[0]), 2) + 0:g}"


def _shared(dots):
    """Dots of one style carry it once, not each."""
    attributes, uses, style = dots.groups()
    return f"<g{attributes} {style}>\n{uses.replace(' ' + style, '')}</g>"


def _flow(match):
    """A formula as running text: mathtext sets every glyph by the widths of its own font, which is not the page's."""
    glyphs = re.findall(r'<tspan x="([^" ]*)" (y="[^"]*" style="[^"]*")>([^<]*)</tspan>', match[0])
    glyphs = sorted((float(x), place, text) for x, place, text in glyphs)
    stacked = any(right[0] - left[0] < 1 for left, right in pairwise(glyphs))
    if stacked or len(glyphs) < match[0].count("<tspan"):
        return match[0]  # one above the other: only positions can say that
    runs = [(place, "".join(text for *_, text in run)) for place, run in groupby(glyphs, key=lambda glyph: glyph[1])]
    return "".join(f"<tspan {place}>{text}</tspan>" for place, text in runs)
