"""Everything is reached and worked by keyboard, and the eye can follow the focus."""

import pytest

from conftest import PAGES

CHAPTERS = [
    page
    for page in PAGES
    if page.startswith("chapters/") and "/reference/" not in page and "/evidence/ledger" not in page
]
# does the element that has the focus look different from how it looks without it?
VISIBLE = """() => {
    document.getAnimations().forEach(animation => animation.finish());
    const stop = document.activeElement, parts = [null, '::before', '::after'];
    const tab = stop.matches('input') && stop.labels.length && getComputedStyle(stop).opacity === '0';
    const each = tab ? stop.labels[0] : stop;  // a tab is its label
    const signs = s => [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.backgroundColor,
                        s.borderTopColor, s.borderBottomWidth, s.textDecorationThickness, s.textDecorationLine];
    const look = () => parts.map(part => signs(getComputedStyle(each, part)).join()).join();
    const box = each.getBoundingClientRect(), focused = look();
    const shown = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight
        && each.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    stop.blur();
    document.getAnimations().forEach(animation => animation.finish());
    const differs = look() !== focused;
    stop.focus({ preventScroll: true });
    return { differs, shown, name: stop.outerHTML.slice(0, 160) };
}"""
# how much of the solution under test is seen
SOLUTION_SHOWN = """() => {
    const shown = each => each.getBoundingClientRect().height > 0
        && each.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const solution = document.querySelector('[data-tested=solution]');
    return [...solution.querySelectorAll('p:not(.admonition-title), pre')].filter(shown).length;
}"""
# puts the focus on the last stop before the control under test
FOCUS_BEFORE = """() => {
    let stop = null;
    for (const each of document.querySelectorAll('a[href], button, summary')) {
        if (each.dataset.tested === 'control') break;
        if (each.checkVisibility({ visibilityProperty: true }) && each.closest('article')) stop = each;
    }
    stop.focus();
}"""
EXPANDED = """() => {
    const each = document.querySelector('[data-tested=control]');
    return each.tagName === 'SUMMARY' ? String(each.parentElement.open) : each.getAttribute('aria-expanded');
}"""
REASON = """() => {
    const option = document.activeElement.parentElement, said = option.querySelector('summary').innerText;
    return option.open ? option.innerText.slice(said.length).trim() : '';
}"""


def tab_to(opened, wanted, limit=400):
    """Press Tab until the element with this selector has the focus; returns whether it came."""
    for _ in range(limit):
        opened.tab.keyboard.press("Tab")
        if opened.run("wanted => document.activeElement.matches(wanted)", wanted):
            return True
    return False


def to_the_first_stop(opened, page):
    """By the key, but on the page of results, which starts in its field."""
    if page == "search.html":
        opened.run("() => document.querySelector('a[href=\"#main-content\"]').focus()")
    else:
        opened.tab.keyboard.press("Tab")


def test_the_first_stop_skips_to_the_text(visit, page):
    opened = visit(page, motion="reduce")
    opened.run("() => getSelection().removeAllRanges()")
    to_the_first_stop(opened, page)
    link = opened.run("() => document.activeElement.getAttribute('href')")
    assert link == "#main-content", opened.focused()
    assert opened.run(VISIBLE)["shown"]
    opened.tab.keyboard.press("Enter")
    opened.tab.keyboard.press("Tab")
    assert opened.run("() => Boolean(document.activeElement.closest('#main-content, main'))"), opened.focused()


@pytest.mark.parametrize(
    ("page", "scheme"), [(page, "light") for page in PAGES] + [(page, "dark") for page in ("index.html", *CHAPTERS[:1])]
)
def test_the_focus_is_seen_at_every_stop(visit, page, scheme):
    """Forty stops from the top of the page: each is on the screen and looks different for having the focus."""
    opened = visit(page, scheme=scheme, motion="reduce")
    unseen, names = [], set()
    to_the_first_stop(opened, page)
    for _ in range(40):
        stop = opened.run(VISIBLE)
        names.add(stop["name"])
        if not (stop["differs"] and stop["shown"]):
            unseen.append(stop)
        opened.tab.keyboard.press("Tab")
        if opened.run("() => document.activeElement === document.body"):
            break
    assert len(names) >= 8, "hardly any stop: is the page a trap?"
    assert not unseen, unseen[:5]


@pytest.mark.parametrize(
    ("chapter", "key"),
    [
        (chapter, key)
        for number, chapter in enumerate(CHAPTERS)
        for key in (("Enter", "Space") if number == 0 else ("Enter",))
    ],
)
def test_a_solution_opens_by_keyboard(visit, chapter, key):
    opened = visit(chapter, motion="reduce")
    solution = opened.run("""() => {
        const each = document.querySelector('.solution');
        if (!each) return null;
        each.dataset.tested = 'solution';
        const control = each.querySelector('button, summary') || each.closest('details').querySelector('summary');
        control.dataset.tested = 'control';
        return true;
    }""")
    assert solution, "no solution in this chapter"
    assert opened.run(SOLUTION_SHOWN) == 0, "open before it is asked for"
    opened.run(FOCUS_BEFORE)
    assert tab_to(opened, "[data-tested=control]", limit=3), f"not the next stop: {opened.focused()}"
    focus = opened.run(VISIBLE)
    assert focus["differs"] and focus["shown"], focus
    opened.tab.keyboard.press(key)
    assert opened.run(SOLUTION_SHOWN) > 0, "still folded"
    assert opened.run(EXPANDED) == "true", "the control does not say that it is open"
    opened.tab.keyboard.press(key)
    assert opened.run(SOLUTION_SHOWN) == 0, "it does not fold again"


@pytest.mark.parametrize(
    ("chapter", "key"),
    [
        (chapter, key)
        for number, chapter in enumerate(CHAPTERS)
        for key in (("Enter", "Space") if number == 0 else ("Space",))
    ],
)
def test_an_option_of_a_self_check_gives_its_reason_by_keyboard(visit, chapter, key):
    opened = visit(chapter, motion="reduce")
    assert opened.run("() => document.querySelectorAll('details.option').length") >= 6, (
        "two questions of three options at least"
    )
    opened.run("() => { document.querySelector('details.option summary').focus(); }")
    assert tab_to(opened, "details.option:not([open]) > summary", limit=2)
    focus = opened.run(VISIBLE)
    assert focus["differs"] and focus["shown"], focus
    opened.tab.keyboard.press(key)
    assert len(opened.run(REASON)) > 20


def test_the_whole_page_is_walked_through(visit):
    """From the skip link to the end: every link, button and fold of a chapter's text is a stop, and none is a trap."""
    opened = visit(CHAPTERS[0], motion="reduce")
    opened.run("""() => {
        const isStop = each =>
            each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex >= 0;
        const controls = document.querySelectorAll('article :is(a[href], button, summary, input, select)');
        window.wanted = new Set([...controls].filter(isStop));
        window.reached = new Set(); window.total = wanted.size;
        document.addEventListener('focusin', event => { reached.add(event.target); wanted.delete(event.target); });
    }""")
    for _ in range(1500):
        opened.tab.keyboard.press("Tab")
        if opened.run("() => !wanted.size"):
            break
        if opened.run("() => document.activeElement === document.body && reached.size > 20"):
            break
    left = opened.run("() => [...wanted].map(each => each.outerHTML.slice(0, 140))")
    # of a group of radio buttons only one is a stop; arrows reach the others
    assert not [each for each in left if 'type="radio"' not in each], left[:5]
    assert opened.run("() => total") > 30
