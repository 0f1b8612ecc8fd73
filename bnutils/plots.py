"""One look for every figure: two fixed colours, both page themes, alt text, the same bytes on every run.

Title and caption are text of the page; the drawing is SVG, one for each panel, so that panels go below one another
where there is little room. A panel that would be too small to read on a phone is laid out a second time, for 350 px.
One point of matplotlib is 4/3 px of the page; type is 12 to 13 px there and never below 11 px on a phone.
"""

import base64
import contextlib
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
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import Formatter

from . import evidence, figures, sample

INK = "#0b0c0d"  # text and axes: near-black in the PNG, currentColor in the SVG
WITH, WITHOUT = "#0072b2", "#d55e00"  # with BN, without BN, through the whole book
PALETTE = (WITH, WITHOUT, "#008f68", "#b8619a", "#8a7a00", "#767f8a")  # >= 3:1 on white and on the dark page, #14181e
WORDS = dict(zip(PALETTE, ("with", "without", "third", "fourth", "fifth", "sixth")))  # --bn-...-ink: text of a colour
PAPER = "var(--pst-color-background, Canvas)"  # what white becomes in the SVG: the page behind the figure
MARGIN = 4.3  # pt around a drawing
TEXT, WIDE, PAIRED, PHONE = 640, 870, 360, 350  # px: widths of a figure, of one panel of two, of a panel on a phone
TINY = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")

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
    "font.size": 10,  # 13 px
    "xtick.labelsize": 9,  # 12 px
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "axes.titlesize": 10,
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
    "svg.fonttype": "none",
    "svg.hashsalt": "bnutils",
}


def figure(
    title: str, *, columns: int = 1, rows: int = 1, height: float = 3.2, wide: bool | None = None, **subplots: Any
) -> tuple[Figure, Axes | np.ndarray]:
    """A figure whose title answers its question.

    One panel is as wide as the text, several share the wider column of figures; on a phone they stand below one
    another, so each has its own tick labels and, where the quantity is not that of its neighbour, its own axis labels.

    Parameters
    ----------
    title : str
        the answer, in one sentence
    columns, rows : int
        of axes
    height : float
        of one row, in inches of 96 px
    wide : bool
        the wider column for a single panel too; if not given, for two columns and more
    **subplots
        for ``Figure.subplots``, such as ``sharey=True``

    Returns
    -------
    tuple
        ``(fig, axes)``: one axes object, or an array of them as ``Figure.subplots`` gives it
    """
    wide = columns > 1 if wide is None else wide
    width = (2 * PAIRED if columns == 2 else WIDE) if wide else TEXT
    with matplotlib.rc_context(STYLE):
        fig = Figure(figsize=(width / 96, height * rows), dpi=72, layout="constrained")
        FigureCanvasAgg(fig)
        fig.get_layout_engine().set(w_pad=0.06, h_pad=0.06)
        fig.suptitle(title, x=0.01, horizontalalignment="left")
        axes = fig.subplots(rows, columns, **subplots)
        for ax in fig.axes:  # ticks are born later, outside this style
            ax.tick_params(which="both", colors=INK, grid_color=INK, grid_alpha=0.15)
            ax.tick_params(labelbottom=True, labelleft=True)
    return fig, axes


def band(
    ax: Axes, x: np.ndarray, rows: np.ndarray, color: str, *, name: str | None = None, **line: Any
) -> list[sample.Sample]:
    """Draw a quantity over seeds: the median as a line, lowest to highest as a band around it.

    Parameters
    ----------
    ax
        the axes
    x
        where the points stand, (points,)
    rows
        the values, one curve a seed, (seeds, points)
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

    Labels that would lie on one another are moved apart, up and down, when the figure is shown.

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


def images(
    ax: Axes, stack: np.ndarray, *, columns: int | None = None, low: float = 0, high: float | None = None
) -> None:
    """Draw small images, such as digits, in rows: one pixel a value, ink on paper, in both themes.

    Parameters
    ----------
    ax
        the axes; its frame and ticks go
    stack
        the images, (images, height, width)
    columns : int
        images in a row; all in one row if not given
    low, high : float
        what is paper and what is full ink; 0 and the largest value if not given
    """
    stack = np.asarray(stack, float)
    count, tall, broad = stack.shape
    columns = columns or count
    rows = -(-count // columns)
    sheet = np.ma.masked_all((rows * (tall + 1) - 1, columns * (broad + 1) - 1))
    for place, image in enumerate(stack):
        top, left = (place // columns) * (tall + 1), (place % columns) * (broad + 1)
        sheet[top : top + tall, left : left + broad] = image
    greys = np.linspace(
        (0.93, 0.935, 0.94, 1), (0.04, 0.045, 0.05, 1), 33
    )  # the page turns them round in its dark theme
    shown = {"cmap": ListedColormap(greys), "vmin": low, "vmax": stack.max() if high is None else high}
    ax.imshow(sheet, interpolation="none", **shown).set_gid("grey")
    ax.set_axis_off()
    ax.set_anchor("W")


def heat(
    ax: Axes,
    values: np.ndarray,
    *,
    label: str,
    low: float | None = None,
    high: float | None = None,
    centre: float | None = None,
) -> AxesImage:
    """Draw a matrix as colours, row 0 at the top, with a bar that says what they mean.

    Parameters
    ----------
    ax
        the axes
    values
        (rows, columns); nan stays empty
    label : str
        what the colours measure, with its unit
    low, high : float
        the ends of the scale; those of the values if not given
    centre : float
        the value of the neutral colour, for what goes to both sides of it; the scale then reaches equally far

    Returns
    -------
    AxesImage
        what was drawn
    """
    values = np.ma.masked_invalid(np.asarray(values, float))
    low, high = values.min() if low is None else low, values.max() if high is None else high
    if centre is not None:
        reach = max(high - centre, centre - low)
        low, high = centre - reach, centre + reach
    shown = {"cmap": "viridis" if centre is None else "PRGn", "vmin": low, "vmax": high, "interpolation": "none"}
    drawn = ax.imshow(values, aspect="auto", **shown)
    ax.grid(False)
    with matplotlib.rc_context(STYLE):
        bar = ax.figure.colorbar(drawn, ax=ax, label=label, fraction=0.06, pad=0.03)
        bar.solids.set_visible(False)  # 256 shapes; one image of 256 pixels in their place
        scale = np.linspace(low, high, 256)[:, None]
        bar.ax.imshow(scale, extent=(0, 1, low, high), origin="lower", aspect="auto", **shown).set_gid("scale")
        bar.outline.set_visible(False)
        bar.ax.grid(False)
    return drawn


def show(fig: Figure, name: str, *, alt: str, caption: str | None = None) -> None:
    """Show a figure as themed inline SVG, with a PNG for viewers that drop it, and clear it.

    Parameters
    ----------
    fig
        what ``figure`` gave
    name : str
        lower-case letters, digits and hyphens; unique on its page
    alt : str
        axes, trend and one number, made from the data at run time
    caption : str
        what a reader must know to read the drawing: what dots, lines and bands are, how many seeds

    Raises
    ------
    ValueError
        an empty ``alt``, a ``name`` that cannot be an id, or a legend of the whole figure, which belongs to no panel
    """
    evidence.display(figures.with_record(bundle(fig, name, alt=alt, caption=caption), name))


def bundle(fig: Figure, name: str, *, alt: str, caption: str | None = None) -> dict[str, str]:
    """What `show` displays, without its record, as a dict from MIME type to content; the figure is cleared.

    Takes and raises what `show` does.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"expected alt text that says what the figure shows, got {alt!r}; make it from the data")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"expected a name of lower-case letters, digits and hyphens, got {name!r}")
    if fig.legends:
        raise ValueError("expected legends inside axes, got one of the whole figure; label the lines, or one panel")
    title, label, data = fig.get_suptitle(), " ".join(alt.split()), quote(_csv(fig), safe=", ")
    width, height = fig.get_size_inches()
    columns = len({ax.get_subplotspec().colspan.start for ax in fig.axes if ax.get_subplotspec()})
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        axis.set_major_formatter(_Plain(axis.get_major_formatter()))
        axis.set_minor_formatter(_Plain(axis.get_minor_formatter()))
    fig.suptitle("")
    layouts = {"bn-panels bn-roomy" if columns == 1 else "bn-panels": _panels(fig, width, height, name, label)}
    if columns == 1:
        layouts["bn-panels bn-narrow"] = _panels(fig, PHONE / 96, 0.85 * height, name + "-s", label)
    lines = textwrap.wrap(title, int(width * 72 / (0.62 * fig._suptitle.get_size())))
    fig.suptitle("\n".join(lines), x=0.01, horizontalalignment="left")
    with _laid_out(fig, width, height + 0.25 * len(lines)):
        png = _render(fig, "png", dpi=144, facecolor="white", metadata={"Software": None})
    flex = 'style="display: flex; flex-wrap: wrap; align-items: flex-start"'
    html = [
        f'<figure class="bn-figure{" bn-wide" if width * 96 > TEXT + 1 else ""}" id="fig-{name}">',
        f'<p class="bn-figure-title"><strong>{escape(title)}</strong></p>',
        *(
            f'<div class="{kind}" {"hidden" if "narrow" in kind else flex}>\n{drawn}\n</div>'
            for kind, drawn in layouts.items()
        ),
        "<figcaption>",
        *([f'<p class="bn-caption">{escape(" ".join(caption.split()))}</p>'] if caption else []),
        f'<p class="bn-links"><a download="{name}.csv" href="data:text/csv;charset=utf-8,{data}">data (CSV)</a></p>',
        "</figcaption>\n</figure>",
    ]
    fig.clear()
    return {"text/plain": alt, "image/png": base64.b64encode(png).decode(), "text/html": "\n".join(html)}


@contextlib.contextmanager
def _laid_out(fig, width, height):
    """The figure in a size in inches: labels wrapped, ticks thinned, direct labels apart; afterwards as it was."""
    words = [text for ax in fig.axes for text in (ax.xaxis.label, ax.yaxis.label, ax.title, ax._left_title)]
    kept = [(text, text.get_text()) for text in words]
    notes = [(note, note.xyann) for ax in fig.axes for note in ax.texts if hasattr(note, "xyann")]
    engine = fig.get_layout_engine()
    with matplotlib.rc_context(STYLE):
        fig.set_size_inches(width, height)
        for note, _ in notes:
            ax = note.axes
            across = ax.transAxes.inverted().transform(ax.transData.transform(note.xy))[0]
            note.set_in_layout(not 0.02 < across < 0.9)  # at the end of a line it has room of its own
        for ax in fig.axes:
            ax.title.set_size(STYLE["axes.titlesize"])  # named outside this style, it would have Matplotlib's size
        fig.draw_without_rendering()
        _wrap(fig)
        fig.draw_without_rendering()
        fig.set_layout_engine("none")
        thinned = _thin(fig)
        _part(fig)
    yield
    for text, content in kept:
        text.set_text(content)
    for note, offset in notes:
        note.xyann = offset
    for text in thinned:
        text.set_visible(True)
    fig.set_layout_engine(engine)


def _panels(fig, width, height, name, alt):
    """The SVGs of all panels, laid out for a drawing of this size in inches, or narrower where one would not be
    readable on a phone."""
    drawn = []
    with _laid_out(fig, width, height):
        cells = list(_cells(fig))
        widest = max(box[2] for _, box in cells) / 72 * 96
        excess = widest / (PHONE * 1.06) if len({box[0] for _, box in cells}) > 1 else 1
        for number, (axes, box) in enumerate(cells if excess <= 1 else ()):
            for ax in fig.axes:
                ax.set_visible(ax in axes)
            svg = _render(fig, "svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
            drawn.append(_themed(svg.decode(), f"{name}-{number}", alt if not number else "", box))
        for ax in fig.axes:
            ax.set_visible(True)
    return "\n".join(drawn) if drawn else _panels(fig, width / excess - 0.01, height, name, alt)


def _cells(fig):
    """Each panel as its axes and its part of the drawing, (left, top, width, height) in points: cut between panels."""
    width, height = fig.get_size_inches() * 72
    groups = {}
    for ax in fig.axes:
        home = ax._colorbar.mappable.axes if hasattr(ax, "_colorbar") else ax
        spec = home.get_subplotspec()
        groups.setdefault((spec.rowspan.start, spec.colspan.start) if spec else (0, 0), []).append(ax)
    boxes = {}
    for place, axes in groups.items():
        extents = [ax.get_tightbbox(fig.canvas.get_renderer()).extents for ax in axes]
        boxes[place] = [*np.min(extents, 0)[:2], *np.max(extents, 0)[2:]]
    rows = [[place for place in sorted(boxes) if place[0] == row] for row in sorted({row for row, _ in boxes})]
    edges = [(min(boxes[p][1] for p in row), max(boxes[p][3] for p in row)) for row in rows]
    first, last = min(height, edges[0][1] + MARGIN), max(0, edges[-1][0] - MARGIN)  # pictures may leave room unused
    cuts = [first, *((above[0] + below[1]) / 2 for above, below in pairwise(edges)), last]
    for row, (top, bottom) in zip(rows, pairwise(cuts)):
        sides = [0, *((boxes[one][2] + boxes[two][0]) / 2 for one, two in pairwise(row)), width]
        for place, (left, right) in zip(row, pairwise(sides)):
            yield groups[place], (left, height - top, right - left, top - bottom)


def _wrap(fig):
    """Break the labels of axes and the titles of panels that are longer than their side."""
    for ax in fig.axes:
        frame = ax.get_window_extent()
        for text, room in (
            (ax.xaxis.label, frame.width + 12),
            (ax.yaxis.label, frame.height),
            (ax.title, frame.width + 12),
            (ax._left_title, frame.width + 12),
        ):
            extent = text.get_window_extent()
            length = extent.height if text is ax.yaxis.label else extent.width
            if text.get_text() and length > room:
                flowing = " ".join(text.get_text().split())
                text.set_text(textwrap.fill(flowing, max(8, int(0.9 * len(flowing) * room / length))))


def _thin(fig):
    """Hide every other tick label of an axis until none touches the next; returns those it hid."""
    hidden = []
    for axis in (axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)):
        side = slice(0, 2) if axis.axis_name == "x" else slice(2, 4)
        labels = [text for text in axis.get_ticklabels() if text.get_text() and text.get_visible()]
        while len(labels) > 2:
            spans = sorted(tuple(text.get_window_extent().get_points().T.ravel()[side]) for text in labels)
            if all(one[1] + 2 < two[0] for one, two in pairwise(spans)):
                break
            for text in labels[1::2]:
                text.set_visible(False)
                hidden.append(text)
            labels = labels[::2]
    return hidden


def _part(fig):
    """Move direct labels until none lies on another, on other text or out of the frame: the shorter way each time."""
    width, height = fig.get_size_inches() * 72
    for ax in fig.axes:
        notes = [note for note in ax.texts if getattr(note, "anncoords", "") == "offset points" and note.get_text()]
        still = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label, ax.title, *ax.texts]
        still = [text.get_window_extent() for text in still if text not in notes and text.get_text()]
        for _ in range(60):
            moved = False
            for place, note in enumerate(notes):
                box = note.get_window_extent()
                aside = max(0, 2 - box.x0) - max(0, box.x1 - width + 2)
                aloft = max(0, 2 - box.y0) - max(0, box.y1 - height + 2)
                for other in still:
                    across, down = _overlap(box, other)
                    if across > 0 and 0 < down <= across:
                        aloft += _away(box.y0 + box.y1, other.y0 + other.y1, down + 1)
                    elif across > 0 and down > 0:
                        aside += _away(box.x0 + box.x1, other.x0 + other.x1, across + 3)
                note.xyann = note.xyann[0] + aside, note.xyann[1] + aloft
                for other in notes[:place]:
                    box, against = note.get_window_extent(), other.get_window_extent()
                    across, down = _overlap(box, against)
                    if across > 0 and down > 0.5:
                        apart = _away(box.y0 + box.y1, against.y0 + against.y1, down / 2 + 0.5)
                        note.xyann = note.xyann[0], note.xyann[1] + apart
                        other.xyann = other.xyann[0], other.xyann[1] - apart
                        moved = True
                moved = moved or abs(aside) + abs(aloft) > 0.1
            if not moved:
                break


def _overlap(one, other):
    return min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)


def _away(here, there, far):
    return far if here >= there else -far


class _Plain(Formatter):
    """Tick labels as another formatter writes them, powers of ten in plain text: a formula is set glyph by glyph."""

    def __init__(self, inner):
        self.inner = inner

    def __call__(self, value, place=None):
        return _plain(str(self.inner(value, place)))

    def format_ticks(self, values):
        return [_plain(str(text)) for text in self.inner.format_ticks(values)]

    def set_axis(self, axis):
        self.inner.set_axis(axis)

    def get_offset(self):
        return self.inner.get_offset()

    def set_locs(self, locs):
        self.inner.set_locs(locs)


def _plain(text):
    match = re.fullmatch(r"\$(?:\\mathdefault\{)?([−-]?)(?:([\d.]+)\\times)?10\^\{?([−-]?\d+)\}?\}?\$", text)
    if not match:
        return text
    sign, factor, power = match.groups()
    return f"{sign}{factor + ' · ' if factor else ''}10{power.translate(TINY)}"


def _csv(fig):
    """What the figure draws, as lines ``panel,series,x,y`` to 5 digits; bars by their middle, a matrix by its rows.

    A panel has its title, as far as a colon, or its number.
    """
    rows = ["panel,series,x,y"]
    for number, ax in enumerate(fig.axes, 1):
        panel = " ".join(ax.get_title().partition(":")[0].replace(",", ";").split()) or number
        series = [(line.get_label(), *line.get_data()) for line in ax.lines if line.get_transform() == ax.transData]
        series += [(dots.get_label(), *dots.get_offsets().T) for dots in ax.collections if len(dots.get_offsets()) > 1]
        bars = [(p.get_x() + p.get_width() / 2, p.get_height()) for p in ax.patches if hasattr(p, "get_height")]
        series += [("bars", *zip(*bars))] if bars else []
        for image in ax.images if ax.get_label() != "<colorbar>" else ():
            series += [(f"row {i}", *_known(row)) for i, row in enumerate(image.get_array()) if _known(row)]
        for row, (label, xs, ys) in enumerate(series, 1):
            label = f"series {row}" if label.startswith("_") else label.replace(",", ";")
            rows += [f"{panel},{label},{x:.5g},{y:.5g}" for x, y in zip(xs, ys)]
    return "\n".join(rows) + "\n"


def _known(row):
    """The places and the values of a row of a matrix that are not masked."""
    known = [(x, value) for x, value in enumerate(np.ma.filled(row, np.nan).ravel()) if np.isfinite(value)]
    return tuple(zip(*known))


def _render(fig, kind, **options):
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        fig.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def _themed(svg, name, alt, box):
    """The SVG of one panel, the `box` of the drawing: its own ids, no fixed ink, paper, font, no rule that reaches on.

    The first panel carries the alt text of them all.
    """
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    body = re.sub(r"<!--.*?-->|<style.*?</style>|<metadata.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r"font-family: [^;\"]*(; )?", "", body)  # the page's font
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#|url\(#', lambda start: f"{start[0]}{name}-", body)
    body = re.sub(f"{INK}|#000000", "currentColor", body).replace("#ffffff", PAPER)
    body = re.sub(r"\s*\n\s*", "\n", body)
    body = re.sub(r"(?:<tspan [^>]*>[^<]*</tspan>\s*)+", _flow, body)
    body = re.sub(r"<t(?:ext|span)\b[^>]*>", _in_ink, body)
    body = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{3,}", _short, tag[0]), body).replace("xlink:href", "href")
    body = re.sub(
        r'<g([^>]*)>\n((?:<use href="[^"]*" x="[^"]*" y="[^"]*" (style="[^"]*")/>\n)(?:<use [^>]*\3/>\n)+)</g>',
        _shared,
        body,
    )
    circles = re.findall(r'<path id="([^"]*)" d="M 0 ([\d.]+)\n(?:C [^\n]*\n){8}z\n"', body)  # eight arcs
    for marker, radius in circles:
        body = re.sub(rf'<use href="#{marker}" x="([^"]*)" y="([^"]*)"', rf'<circle r="{radius}" cx="\1" cy="\2"', body)
    body = body.replace(f'id="{name}-grey"', 'class="bn-grey"').replace(' transform="rotate(-0 ', ' data-x="')
    body = re.sub(r' data-x="[^"]*"| id="[^"]*-(?:patch|line2d|text|[xy]tick|matplotlib\.axis)_\d+"', "", body)
    said = f'role="img" aria-label="{escape(alt)}"' if alt else 'aria-hidden="true"'
    shape = " ".join(f"{round(float(number), 2):g}" for number in box)
    px = box[2] * 4 / 3  # in a row while it is readable there, at most a sixth larger than drawn
    ratio = f"{float(box[2]):g} / {float(box[3]):g}"  # said, not drawn: known before the drawing is laid out
    return (
        f'<svg {said} viewBox="{shape}" fill="currentColor"'
        f' style="flex: {px:.0f} 1 {0.88 * px:.0f}px; min-width: 0; max-width: {1.17 * px:.0f}px;'
        f" height: auto; aspect-ratio: {ratio};"
        ' font-family: inherit; stroke-linejoin: round; stroke-linecap: butt"'
        ' xmlns="http://www.w3.org/2000/svg">' + body + "</svg>"
    )


def _in_ink(tag):
    """A text in the colour of a line takes the shade of it that is made for words."""
    return re.sub("|".join(WORDS), lambda colour: f"var(--bn-{WORDS[colour[0]]}-ink, {colour[0]})", tag[0])


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
