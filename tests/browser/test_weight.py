"""What a page costs: kilobytes on the wire with an empty cache, requests, and how far it jumps while it loads."""

import statistics

import pytest

from conftest import BUDGET, PAGES

MEASURED = {}


@pytest.fixture
def measured(visit):
    """Kilobytes and layout shift of a page, what moved and what weighs most; loaded once and scrolled through."""

    def measure(page):
        if page not in MEASURED:
            opened = visit(page)
            opened.scroll_through()
            heaviest = sorted(opened.sizes.values(), key=lambda file: -file[1])[:6]
            MEASURED[page] = (
                opened.kb,
                opened.run("() => window.shift"),
                opened.run("() => window.shifted"),
                [f"{size / 1000:.0f} {address.removeprefix(opened.site)}" for address, size in heaviest],
            )
        return MEASURED[page]

    return measure


def test_a_page_is_light_and_does_not_jump(measured, page):
    kb, shift, moved, heaviest = measured(page)
    assert kb <= BUDGET["kb"], f"{kb:.0f} KB: {', '.join(heaviest)}"
    assert shift <= BUDGET["book"]["layout_shift"], "\n".join(moved)


@pytest.mark.parametrize("page", ["chapters/problem/internal-covariate-shift.html", "chapters/reference/glossary.html"])
def test_formulas_whose_fonts_come_late_move_nothing(visit, page):
    """What stands in for them is as wide: without it the text around them broke into other lines."""
    opened = visit(page, width=390, height=844, late="**/KaTeX_*")
    assert opened.run("() => [...document.fonts].some(each => /KaTeX/.test(each.family) && each.status === 'loaded')")
    opened.run("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert opened.run("() => window.shift") <= BUDGET["book"]["layout_shift"], "\n".join(
        opened.run("() => window.shifted")
    )


def test_half_of_the_pages_are_lighter_still(measured):
    weights = {page: measured(page)[0] for page in PAGES}
    assert statistics.median(weights.values()) <= BUDGET["book"]["median_kb"], {
        page: round(kb) for page, kb in weights.items()
    }


def test_a_jump_and_a_heavy_file_are_seen(visit):
    """The meters are awake: a late block above the text, and a script fetched twice as big as the page."""
    late = "document.querySelector('article').insertAdjacentHTML('afterbegin', '<div style=\"height:400px\"></div>')"
    opened = visit("index.html", extra=f"addEventListener('load', () => setTimeout(() => {late}, 200))")
    light = opened.kb
    opened.tab.wait_for_function("() => window.shift > 0.02")
    opened.run("() => fetch('searchindex.js').then(answer => answer.text())")
    assert opened.kb > light + 1


def test_a_request_to_another_host_is_blocked_and_counted(visit):
    opened = visit("index.html")
    assert opened.run("() => fetch('http://192.0.2.1/x').then(() => 'arrived', () => 'blocked')") == "blocked"
    assert opened.run("() => fetch('http://localhost/x').then(() => 'arrived', () => 'blocked')") == "blocked"
    opened.run("() => fetch('no-such-file.js')")
    opened.run("() => { console.error('planted'); setTimeout(() => { throw Error('thrown') }) }")
    opened.tab.wait_for_timeout(100)
    faults = "\n".join(opened.faults())
    for sign in (
        "another host: http://192.0.2.1/x",
        "another host: http://localhost/x",
        "404 ",
        "console: planted",
        "console: thrown",
    ):
        assert sign in faults
    for heap in (opened.foreign, opened.complaints, opened.failed):
        heap.clear()
