"""Figures: the same bytes twice, readable in both themes, nothing shared between two and nothing left behind."""

import base64
import io
import re
import subprocess
import sys
from itertools import pairwise
from unittest import mock
from urllib.parse import unquote
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from bnutils import evidence, figures, plots

PAGES = ("#ffffff", "#14181e")  # the light and the dark page


def draw(name="gradient", alt="Gradient norm falls from layer 20 to layer 1."):
    """Show a figure with everything a chapter draws, and return its bundle."""
    bundles = []
    fig, (left, right) = plots.figure("Without BN the gradient dies by layer 6", columns=2)
    layers = np.arange(1, 21)
    left.plot(layers, 10.0 ** (-layers / 2), color=plots.WITHOUT)
    left.fill_between(layers, 0.5, 2, color=plots.WITH, alpha=0.2)
    left.set(yscale="log", xlabel="layer", ylabel=r"norm ($\sigma_B$)")
    plots.label(left, 20, 1e-10, "without <BN>", plots.WITHOUT)
    right.scatter(layers, layers, marker="o", edgecolor="white")
    right.plot(layers, layers, color="black")
    right.text(0.1, 0.5, "text in the default colour", bbox={"facecolor": "white", "edgecolor": "k"})
    right.imshow(np.eye(3), extent=(0, 1, 0, 1), aspect="auto")
    right.legend(["one"])
    with mock.patch.object(evidence, "display", bundles.append):
        assert plots.show(fig, name, alt=alt) is None
    assert fig.axes == []
    (bundle,) = bundles
    return bundle


def svgs_of(bundle):
    return re.findall(r"<svg.*?</svg>", bundle["text/html"], re.S)


def svg_of(bundle):
    return svgs_of(bundle)[0]


def place_of(svg):
    """The part of the drawing that is shown: left, top, width, height in points."""
    return [float(number) for number in re.search(r'viewBox="([^"]*)"', svg)[1].split()]


def shown(fig, name="a", **options):
    """The bundle of a figure."""
    return plots.bundle(fig, name, alt="A line rises from 0 to 1.", **options)


def ids(bundle):
    return re.findall(r'\bid="([^"]*)"', bundle["text/html"])


def test_one_bundle_holds_the_page_the_png_and_the_alt_text():
    bundle = draw()
    assert set(bundle) == {"text/html", "image/png", "text/plain", figures.MIME}
    assert bundle["text/plain"] == "Gradient norm falls from layer 20 to layer 1."
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    figure = BeautifulSoup(bundle["text/html"], "html.parser").figure
    assert figure["class"] == ["bn-figure", "bn-wide"] and figure["id"] == "fig-gradient"
    assert figure.svg["role"] == "img" and figure.svg["aria-label"] == bundle["text/plain"]
    assert [each.get("aria-hidden") for each in figure.select("svg")] == [None, "true"]  # the first speaks for both


def test_title_and_caption_are_text_of_the_page():
    fig, ax = plots.figure("The loss of x < 1 falls")
    ax.plot([0, 1])
    figure = BeautifulSoup(shown(fig, caption="Dots: one\n  seed & more.")["text/html"], "html.parser").figure
    assert figure.select_one("p.bn-figure-title strong").get_text() == "The loss of x < 1 falls"
    assert figure.select_one("figcaption p.bn-caption").get_text() == "Dots: one seed & more."
    assert "falls" not in "".join(svg.get_text() for svg in figure.select("svg"))
    assert not BeautifulSoup(draw()["text/html"], "html.parser").select(".bn-caption")


def test_the_png_has_the_title_drawn_in():
    """A viewer that drops the HTML drops the title with it."""

    def png(title):
        fig, ax = plots.figure(title)
        ax.plot([0, 1])
        return shown(fig)["image/png"]

    assert png("One title") == png("One title") != png("Another title")


def test_two_runs_give_the_same_bytes():
    assert draw() == draw()


def test_bytes_carry_no_date_and_no_version():
    bundle = draw()
    assert not re.search(r"<metadata|<dc:|matplotlib v|<!--|<!DOCTYPE|\d{4}-\d\d-\d\dT", bundle["text/html"], re.I)
    assert b"tEXt" not in base64.b64decode(bundle["image/png"])


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("text/html", "<path", "<PATH"),
        ("text/html", "panel,series", "panel,other"),
        ("text/html", "falls", "rises"),
        ("text/plain", "falls", "rises"),
        ("image/png", "A", "B"),
    ],
)
def test_a_figure_that_is_not_what_was_drawn_is_noticed(kind, old, new):
    bundle = draw()
    assert figures.faults_of(bundle) == []
    changed = bundle | {kind: bundle[kind].replace(old, new, 1)}
    assert changed != bundle and f"the {kind} of the figure gradient is not what was drawn" in figures.faults_of(
        changed
    )
    resealed = figures.with_record(changed, "gradient")  # with digests of its own it still needs its alt text
    assert figures.faults_of(resealed) == (
        ["the alt text of the figure gradient is not that of its drawing"] if old == "falls" else []
    )


def test_two_figures_share_no_id():
    one, other = draw("one"), draw("other")
    assert len(ids(one)) == len(set(ids(one))) > 10
    assert not set(ids(one)) & set(ids(other))


def test_every_reference_inside_the_svg_finds_its_id():
    bundle = draw()
    references = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', bundle["text/html"])
    assert len(references) > 10
    assert {a or b for a, b in references} <= set(ids(bundle))


def test_no_ink_paper_or_font_is_fixed():
    """Text and axes take the page's colour, white takes the page's, and the font is inherited."""
    svg = "".join(svgs_of(draw()))
    assert not re.search(rf"#000000|#ffffff|{plots.INK}|\b(black|white)\b|font-family: (?!inherit)", svg, re.I)
    root = svg[: svg.index(">")]
    assert 'fill="currentColor"' in root and "font-family: inherit" in root
    assert svg.count("currentColor") > 20 and plots.PAPER in svg
    assert "<style" not in svg  # a rule inside an inline SVG would reach the whole page


def test_colours_left_in_the_svg_are_those_of_the_book():
    left = set(re.findall(r"#[0-9a-f]{6}\b", "".join(svgs_of(draw()))))
    assert {plots.WITH, plots.WITHOUT} <= left <= {*plots.PALETTE, "#cccccc"}  # #cccccc: a legend's frame


def test_svg_is_well_formed_even_with_markup_in_the_text():
    svg = svg_of(draw(alt='Says "a < b" & more'))
    root = ElementTree.fromstring(svg)
    assert not root.text.strip()
    assert root.attrib["aria-label"] == 'Says "a < b" & more'
    assert "without <BN>" in "".join(root.itertext())


def test_formulas_run_in_the_order_they_are_read():
    """Mathtext groups its glyphs by style, 'norm ()' first and sigma after it; in the page they stand as written."""
    text = "".join(ElementTree.fromstring(svg_of(draw())).itertext()).replace("\xa0", " ")
    assert "norm (σB)" in text and "10⁻⁸" in text


def test_stacked_formulas_keep_their_positions():
    fig, ax = plots.figure("A fraction")
    ax.set_xlabel(r"$\frac{1}{N}$")
    one, n = re.findall(r'<tspan x="[\d.]+" y="([-\d.]+)"[^>]*>[1N]<', svg_of(shown(fig)))
    assert float(one) < float(n)


def test_a_form_of_formula_it_does_not_know_is_left_alone():
    unknown = '<tspan x="0 4.1" y="-1" style="">ab</tspan><tspan x="9" y="-1" style="">c</tspan>'
    assert plots._flow(re.match(".*", unknown)) == unknown


def test_png_is_twice_the_drawing_on_white():
    fig, axes = plots.figure("A title", rows=2)
    width, height = fig.get_size_inches() * 72
    axes[0].plot([0, 1])
    png = Image.open(io.BytesIO(base64.b64decode(shown(fig)["image/png"])))
    assert png.size == (int(2 * width), int(2 * (height + 18)))  # a quarter of an inch for each line of the title
    assert png.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


@pytest.mark.parametrize(("columns", "drawings"), [(1, 2), (2, 2), (3, 3)])
def test_type_is_readable_on_a_phone_and_not_large_on_a_screen(columns, drawings):
    """A phone has 350 px for a figure, a screen 640 or 870; one panel is drawn for both, several wrap."""
    fig, axes = plots.figure("A title", columns=columns)
    for ax in np.atleast_1d(axes):
        ax.set_xlabel("layer")
    found = svgs_of(shown(fig))
    assert len(found) == drawings
    for svg in found if columns > 1 else found[1:]:
        sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
        width, largest = place_of(svg)[2] * 4 / 3, float(re.search(r"max-width: (\d+)px", svg)[1])
        on_a_phone, on_a_screen = min(350, largest) / width, min(largest, 870 / columns) / width
        assert min(sizes) * 4 / 3 * on_a_phone >= 11 and max(sizes) * 4 / 3 * on_a_screen <= 16
    assert place_of(found[0])[2] * 4 / 3 == pytest.approx(640) or columns > 1


def test_panels_are_the_whole_drawing_cut_between_them():
    fig, axes = plots.figure("A title", columns=3, rows=2, height=2)
    for ax in axes.flat:
        ax.plot([0, 1])
        ax.set_title("a panel")
    width, height = fig.get_size_inches() * 72
    found = svgs_of(shown(fig))
    assert [svg.count("a panel") for svg in found] == [1] * 6
    parts = [place_of(svg) for svg in found]
    for row in (parts[:3], parts[3:]):
        assert row[0][0] == 0 and sum(part[2] for part in row) == pytest.approx(width, abs=0.1)
        for one, two in pairwise(row):
            assert one[0] + one[2] == pytest.approx(two[0], abs=0.02) and one[1] == two[1] and one[3] == two[3]
    assert parts[0][3] + parts[3][3] == pytest.approx(height, abs=0.1)


def test_every_panel_says_its_own_ticks():
    fig, axes = plots.figure("A title", columns=2, sharey=True)
    for ax in axes:
        ax.plot([0, 3])
    assert all(">3.0<" in svg for svg in svgs_of(shown(fig)))


def test_labels_that_would_lie_on_one_another_are_moved_apart():
    fig, ax = plots.figure("A title")
    ax.plot([0, 1], [0, 1])
    for height in (0.5, 0.5, 0.51, 1):
        plots.label(ax, 0.5, height, f"at {height}", plots.WITH)
    for svg in svgs_of(shown(fig)):
        ys = sorted(float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>at', svg))
        assert len(ys) == 4 and min(np.diff(ys)) > 9


def test_ticks_that_would_touch_are_left_out_on_a_phone_alone():
    fig, ax = plots.figure("A title")
    ax.plot([0, 20], [0, 1])
    ax.set_xticks(range(21), [f"{tick}00" for tick in range(21)])
    roomy, narrow = svgs_of(shown(fig))
    assert all(f">{tick}00<" in roomy for tick in range(0, 21, 2))
    assert ">000<" in narrow and narrow.count("00<") < roomy.count("00<")


def test_a_label_longer_than_its_axis_is_broken():
    fig, ax = plots.figure("A title", height=1.5)
    ax.set_ylabel("independent values of one image, in the median")
    assert all("independent values of one image, in the median" not in svg for svg in svgs_of(shown(fig)))


def test_powers_of_ten_are_plain_text():
    """A formula is placed glyph by glyph, in another font's widths; plain text keeps its anchor."""
    assert plots._plain(r"$\mathdefault{10^{-8}}$") == "10⁻⁸" and plots._plain("$10^{3}$") == "10³"
    assert plots._plain(r"$\mathdefault{2\times10^{-1}}$") == "2 · 10⁻¹"
    assert plots._plain(r"$\sigma_B$") == r"$\sigma_B$" and plots._plain("0.5") == "0.5"


def test_a_legend_of_the_whole_figure_is_refused():
    fig, ax = plots.figure("A title")
    ax.plot([0, 1], label="a line")
    fig.legend()
    with pytest.raises(ValueError, match="legends inside axes"):
        shown(fig)


def test_images_are_one_pixel_a_value_ink_on_paper():
    fig, ax = plots.figure("Digits")
    stack = np.zeros((3, 4, 5))
    stack[0, 1, 2] = 16
    plots.images(ax, stack, columns=2)
    bundle = shown(fig)
    data = re.search(r'<image[^>]*base64,\s*([^"]*)"[^>]*>', svg_of(bundle))
    assert 'class="bn-grey"' in data[0] and "pixelated" in data[0]
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGBA"))
    pixels = pixels if pixels[1, 2, 0] < 40 else pixels[::-1]
    assert pixels.shape == (9, 11, 4)  # a gap of one pixel between two
    assert pixels[1, 2, 0] < 40 and pixels[0, 0, 0] > 230 and not pixels[4, :, 3].any() and not pixels[5:, 6:, 3].any()
    lines = unquote(re.search(r'href="data:text/csv[^,]*,([^"]*)"', bundle["text/html"])[1]).split("\n")
    assert "1,row 1,2,16" in lines


def test_a_heat_map_keeps_its_values_and_has_a_bar():
    fig, ax = plots.figure("A matrix")
    values = np.array([[-1.0, 0.5], [np.nan, 2]])
    drawn = plots.heat(ax, values, label="activation, in σ", centre=0)
    ax.set_title("Up, and\ndown")
    assert drawn.get_clim() == (-2, 2)
    bundle = shown(fig)
    svg = svg_of(bundle)
    assert "activation, in σ" in svg and svg.count("<image") == 2 and svg.count("<path") < 40
    lines = unquote(re.search(r'href="data:text/csv[^,]*,([^"]*)"', bundle["text/html"])[1]).strip().split("\n")
    assert lines[1:] == ["Up; and down,row 0,0,-1", "Up; and down,row 0,1,0.5", "Up; and down,row 1,1,2"]


def test_one_look():
    fig, axes = plots.figure("A title", columns=2, rows=3, height=2, sharey=True)
    assert axes.shape == (3, 2) and fig.get_figheight() == 6
    assert {spine for ax in fig.axes for spine in ax.spines if ax.spines[spine].get_visible()} == {"left", "bottom"}
    (line,) = axes[0, 0].plot([0, 1])
    assert line.get_color() == plots.WITH
    assert all(grid.get_visible() for grid in axes[0, 0].get_xgridlines())


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_wcag():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("page", PAGES)
def test_every_colour_stands_out_on_the_page(page):
    assert min(contrast(colour, page) for colour in plots.PALETTE) >= 3


def test_text_takes_the_colour_for_words_and_a_line_that_of_marks():
    svg = svg_of(draw())
    assert re.search(r"<text[^>]*fill: var\(--bn-without-ink, #d55e00\)", svg)
    assert re.search(r"<path[^>]*stroke: #d55e00", svg) and not re.search(r"<(path|use|circle)[^>]*-ink", svg)


def test_ink_stands_out_on_white_and_no_two_colours_are_the_same():
    assert contrast(plots.INK, "#ffffff") >= 7
    assert len({*plots.PALETTE, plots.INK}) == len(plots.PALETTE) + 1
    assert plots.PALETTE[:2] == (plots.WITH, plots.WITHOUT)


def test_nothing_is_left_in_the_global_state():
    before = dict(matplotlib.rcParams)
    draw()
    assert dict(matplotlib.rcParams) == before


def test_nothing_asks_for_pyplot():
    code = (
        "import sys; from bnutils import plots; fig, ax = plots.figure('A title'); ax.plot([1, 2]);"
        "plots.show(fig, 'a', alt='A line.'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "A line.\n"
    )


def test_label_is_inside_the_figure():
    fig, ax = plots.figure("A title")
    ax.plot([0, 1], [0, 1])
    plots.label(ax, 1, 1, "a long direct label", plots.WITH)
    fig.draw_without_rendering()
    (text,) = ax.texts
    assert text.get_color() == plots.WITH and text.get_window_extent().x1 <= fig.bbox.x1
    assert text.get_size() == ax.xaxis.label.get_size()


@pytest.mark.parametrize(
    "name, alt, says",
    [
        ("a", "", "expected alt text that says what the figure shows, got ''"),
        ("a", " \n", "expected alt text"),
        ("a", None, "expected alt text .* got None"),
        ("", "Alt.", "expected a name of lower-case letters, digits and hyphens, got ''"),
        ("Two words", "Alt.", "expected a name .* got 'Two words'"),
        ("1st", "Alt.", "expected a name"),
    ],
)
def test_a_figure_without_alt_text_or_with_a_name_that_is_no_id_is_refused(name, alt, says):
    fig, _ = plots.figure("A title")
    with pytest.raises(ValueError, match=says):
        plots.show(fig, name, alt=alt)


def test_alt_text_is_required():
    with pytest.raises(TypeError, match="alt"):
        plots.show(plots.figure("A title")[0], "a")


def test_a_band_runs_from_the_lowest_to_the_highest_seed():
    _, ax = plots.figure("A title")
    rows = np.array([[1.0, 5, 3], [2, 4, 9], [3, 6, 4]])
    points = plots.band(ax, [1, 2, 4], rows, plots.WITH, name="with BN")
    (line,), (band,) = ax.lines, ax.collections
    assert line.get_xdata().tolist() == [1, 2, 4] and line.get_ydata().tolist() == [2, 5, 4]
    corners = band.get_paths()[0].vertices
    for x, low, high in zip([1, 2, 4], rows.min(0), rows.max(0)):
        assert {low, high} <= set(corners[corners[:, 0] == x, 1])
    assert [(point.lowest, point.highest, point.n) for point in points] == [(1, 3, 3), (4, 6, 3), (3, 9, 3)]
    assert ax.texts[0].get_text() == "with BN" and ax.texts[0].xy == (4, 4)


def test_a_panel_title_keeps_its_size_and_unused_room_is_cut():
    fig, axes = plots.figure("Pictures leave room", columns=2, height=4)
    for ax in axes:
        ax.set_title("named later")
        ax.imshow(np.eye(2).repeat(8, 1))
        ax.set_axis_off()
    svg = plots.bundle(fig, "pictures", alt="two pictures")["text/html"]
    sizes = re.findall(r'<text style="font-size: ([\d.]+)px[^>]*>named later', svg)
    assert set(sizes) == {"10"}
    heights = [float(box.split()[3]) for box in re.findall(r'viewBox="([^"]*)"', svg)]
    assert max(heights) < 0.75 * 4 * 72
