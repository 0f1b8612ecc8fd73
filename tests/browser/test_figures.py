"""The text of every figure, as it stands on the page: none on another, out of its frame, or too small to read."""

import pytest

from conftest import HTML, PAGES
from press.figures import FIGURE

SMALLEST, LARGEST = 11, 16  # px; a phone, a screen
SCRIPTS = 0.69  # superscripts and subscripts of a formula are this much smaller than its letters
FIGURES = [page for page in PAGES if FIGURE.search((HTML / page).read_text("utf8"))]

# [figure, fault] of all that is shown; two boxes may touch by a pixel, since a box has room for letters of any height
FAULTS = """([smallest, largest, scripts]) => {
    const faults = [];
    const say = (figure, fault) => faults.push(`${figure.id || figure.className}: ${fault}`);
    for (const figure of document.querySelectorAll('figure.bn-figure')) {
        let seen = [];
        for (const svg of figure.querySelectorAll('svg')) {
            const frame = svg.getBoundingClientRect();
            if (!frame.width) continue;
            for (const text of svg.querySelectorAll('text')) {
                const words = text.textContent.trim();
                if (!words) continue;
                const scale = text.getScreenCTM(), zoom = Math.hypot(scale.a, scale.b);
                const sizes = [...text.querySelectorAll('tspan'), ...(text.querySelector('tspan') ? [] : [text])]
                    .map(each => parseFloat(getComputedStyle(each).fontSize) * zoom);
                if (Math.max(...sizes) < smallest - .05 || Math.min(...sizes) < smallest * scripts)
                    say(figure, `“${words}” has ${Math.min(...sizes).toFixed(1)} px`);
                if (Math.max(...sizes) > largest) say(figure, `“${words}” has ${Math.max(...sizes).toFixed(1)} px`);
                const box = text.getBoundingClientRect();
                const inside = box.left > frame.left - 1 && box.right < frame.right + 1;
                if (!inside || box.top < frame.top - 1.5 || box.bottom > frame.bottom + 1.5)
                    say(figure, `“${words}” leaves the frame`);
                for (const [other, place] of seen) {
                    const across = Math.min(box.right, place.right) - Math.max(box.left, place.left);
                    const down = Math.min(box.bottom, place.bottom) - Math.max(box.top, place.top);
                    if (across > 1 && down > 3) say(figure, `“${words}” lies on “${other}”`);
                }
                seen.push([words, box]);
            }
        }
    }
    return faults;
}"""


def faults(tab):
    return tab.evaluate(FAULTS, [SMALLEST, LARGEST, SCRIPTS])


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("page", FIGURES)
def test_no_text_of_a_figure_lies_on_another_or_is_too_small(visit, page, width):
    opened = visit(page, width=width, height=900)
    opened.open_everything()
    assert faults(opened.tab) == []


PLANTED = {  # what is done to the first text of a figure -> what is said of it
    "lies on": "(text, other) => { const [a, b] = [text, other].map(each => each.getBoundingClientRect()), zoom = "
    "text.getScreenCTM().a; text.style.translate = `${(b.x - a.x) / zoom}px ${(b.y - a.y) / zoom}px`; }",
    "leaves the frame": "text => { text.style.translate = '0 600px'; }",
    "px": "text => { text.style.fontSize = '5px'; }",
}


@pytest.mark.parametrize("said", PLANTED)
@pytest.mark.parametrize("width", [1440, 390])
def test_a_planted_fault_is_found(visit, width, said):
    opened = visit(FIGURES[0], width=width, height=900)
    opened.open_everything()
    before = faults(opened.tab)
    opened.run(
        "() => { const [text, other] = [...document.querySelectorAll('figure.bn-figure svg text:not(:has(tspan))')]"
        f".filter(each => each.getClientRects().length); ({PLANTED[said]})(text, other); }}"
    )
    planted = [fault for fault in faults(opened.tab) if fault not in before]
    assert planted and any(said in fault for fault in planted)


def test_the_files_of_a_figure_arrive_and_the_drawing_stands_alone(visit, site):
    opened = visit(FIGURES[0])
    links = opened.run("() => [...document.querySelectorAll('.bn-links a[download]')].map(each => each.href)")
    assert {link.rpartition(".")[2] for link in links} == {"csv", "svg", "png"}
    assert all(opened.context.request.get(link).ok for link in links)
    drawing = opened.context.request.get(next(link for link in links if link.endswith(".svg"))).text()
    assert "var(" not in drawing and "currentColor" not in drawing.partition(">")[0]
    opened.tab.set_content(f"<body style='margin: 0'>{drawing}")
    size = opened.tab.locator("svg").first.bounding_box()
    assert size["width"] > 600 and size["height"] > 150 and opened.tab.locator("svg svg text").count() > 5
