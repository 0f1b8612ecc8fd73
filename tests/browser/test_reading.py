"""A page on a phone, and a page with scripts off."""

import re

import pytest

from conftest import BUDGET

PHONE = {"width": BUDGET["book"]["phone_px"], "height": 844, "touch": True}
# what sticks out of the window, and what is cut off with no way to scroll to it
WIDE = """() => {
    const root = document.documentElement, width = root.clientWidth;
    const cut = '.katex-mathml, .katex .svg-align, .katex .hide-tail';  // KaTeX cuts its roots to length
    const name = each => `${each.tagName.toLowerCase()}.${each.getAttribute('class')}`;
    const within = (each, test) => each && (test(getComputedStyle(each), each) || within(each.parentElement, test));
    const scrolls = (style, each) => each !== document.body && each !== root && /auto|scroll/.test(style.overflowX);
    const fixed = style => style.position === 'fixed';
    const out = [...document.querySelectorAll('main *')].filter(each => each.checkVisibility() && !each.closest(cut))
        .map(each => [each, each.getBoundingClientRect()])
        .filter(([each, box]) => box.width > 0 && box.right > width + 1)
        .filter(([each]) => !within(each, scrolls) && !within(each, fixed));
    return {
        sideways: Math.max(root.scrollWidth, document.body.scrollWidth) - width,
        out: out.map(([each, box]) => `${name(each)} to ${Math.round(box.right)}`),
    };
}"""
TEXT = """() => {
    const body = (document.querySelector('article') || document.body).cloneNode(true);
    const unread = 'script, style, template, noscript, .bn-live, .katex-mathml, button, '
        + '[aria-hidden=true]:not(.katex-html)';
    for (const each of body.querySelectorAll(unread)) each.remove();
    return { text: body.textContent.replace(/\\s+/g, ' '), formulas: document.querySelectorAll('.katex-html').length };
}"""
SEEN = """() => {
    const body = document.querySelector('article') || document.body;
    const visible = { opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: false };
    const shown = each => each.checkVisibility(visible) && each.getBoundingClientRect().height > 0;
    const folded = 'details:not([open]), .bn-answer, .katex-mathml, template, noscript, [hidden], .sd-tab-content, '
        + '.dropdown-menu';
    const hidden = [...body.querySelectorAll('p, pre, table, figure, li, .katex-html')]
        .filter(each => each.textContent.trim() && !shown(each) && !each.closest(folded));
    return { hidden: hidden.map(each => each.outerHTML.slice(0, 160)), words: document.body.innerText };
}"""
UNFOLD = """() => {
    for (const each of document.querySelectorAll('details')) each.open = true;
    for (const each of document.querySelectorAll('.toggle-hidden .toggle-button')) each.click();
}"""
# the height of every block that is drawn late, and the width of what scrolls around it
SIZES = """() => [...document.querySelectorAll('.bn-code, .katex-display, .bn-panels > svg')].map(each =>
    [each.getBoundingClientRect().height, each.closest('pre, .katex-display, svg').scrollWidth])"""
WAITING = """() => [...document.querySelectorAll('.bn-code, .katex-display, article > section > section > *')]
    .map(each => each.firstElementChild).filter(each => each?.checkVisibility()
        && !each.checkVisibility({ contentVisibilityAuto: true })).length"""
# what would lay out the rest when nothing else is to be done is held, until the test lets it go
HOLD = """window.held = []; window.idle = requestIdleCallback.bind(window);
window.requestIdleCallback = work => String(work).includes('contentVisibility') ? held.push(work) : idle(work);"""
LET_GO = "() => { window.requestIdleCallback = idle; held.forEach(work => idle(work)) }"
# the paragraph at the top of the window, and where it stands
READ = """() => { const top = each => each.getBoundingClientRect().top;
    const found = [...document.querySelectorAll('article p')].find(each => each.checkVisibility() && top(each) > 80);
    found.dataset.read = ''; return top(found) }"""
STILL_READ = "() => document.querySelector('[data-read]').getBoundingClientRect().top"
DRAW_ALL = """() => document.head.insertAdjacentHTML('beforeend',
    '<style>* { content-visibility: visible !important }</style>')"""
NO_FACE = """addEventListener('DOMContentLoaded', () =>
    document.documentElement.style.setProperty('--bn-prose', '"DejaVu Sans"'))"""
PLANTED = """addEventListener('DOMContentLoaded', () =>
    document.querySelector('article').insertAdjacentHTML('beforeend',
        '<div style="{}"><div class="planted" style="width:900px">wide</div></div>'))"""


def test_nothing_is_wider_than_a_phone(visit, page):
    """On any phone, the smallest ones too, with the fonts it has, where the book's own face never comes."""
    for options in (
        PHONE,
        PHONE | {"poor": True, "extra": NO_FACE},
        PHONE | {"poor": True, "extra": NO_FACE, "width": 320},
    ):
        opened = visit(page, **options)
        opened.run(UNFOLD)
        wide = opened.run(WIDE)
        assert wide["sideways"] <= 0 and not wide["out"], (options["width"], wide)


def test_a_machine_with_one_family_of_fonts_sets_wider(visit):
    """Else the test above would look at the fonts of this machine three times."""
    wide = """() => { const title = document.querySelector('article h1');
        Object.assign(title.style, { width: 'max-content', maxWidth: 'none' }); return title.offsetWidth }"""
    usual, poor = visit("index.html"), visit("index.html", poor=True, extra=NO_FACE)
    assert poor.run(wide) > 1.1 * usual.run(wide)
    assert "DejaVu" in poor.run("() => getComputedStyle(document.querySelector('article p')).fontFamily")


def test_a_wide_block_is_seen(visit):
    def seen(style):
        return "planted" in str(visit("index.html", **PHONE, extra=PLANTED.format(style)).run(WIDE)["out"])

    assert seen("")
    assert seen("overflow:hidden"), "cut off, and no way to scroll to it"
    assert not seen("overflow:auto")


def test_what_waits_to_be_drawn_is_as_tall_as_it_will_be(visit, page):
    """Code, formulas and drawings far from the window are drawn late; nothing moves then, and code that scrolls is
    known to."""
    for options in ({}, PHONE):
        opened = visit(page, extra=HOLD, **options)
        opened.tab.wait_for_function(
            "() => [...document.querySelectorAll('.bn-interactive')].every(each => each.matches('.bn-running'))"
        )
        before, whole = opened.run(SIZES), opened.run("() => document.documentElement.scrollHeight")
        waiting = opened.run(WAITING)
        opened.run(DRAW_ALL)
        after = opened.run(SIZES)
        moved = [
            (then, now)
            for then, now in zip(before, after, strict=True)
            if abs(then[0] - now[0]) > 1.5 or abs(then[1] - now[1]) > 1.5
        ]
        assert not moved, moved
        if not options:  # on a phone the height of whole sections is guessed: see the next test
            assert abs(opened.run("() => document.documentElement.scrollHeight") - whole) <= 4
        assert waiting or "/algorithm/" not in page, "nothing waits: the rule of the style sheet is gone"


@pytest.mark.parametrize("page", ["chapters/algorithm/the-transform.html", "chapters/problem/deep-networks-fail.html"])
def test_all_is_laid_out_soon_and_what_is_read_stays(visit, page):
    """On a phone, from the middle of a page down, while everything above finds its height."""
    opened = visit(page, extra=HOLD, **PHONE)
    opened.run("() => scrollTo({ top: document.documentElement.scrollHeight / 2, behavior: 'instant' })")
    opened.tab.wait_for_timeout(300)
    assert opened.run(WAITING) > 0
    before, whole = opened.run(READ), opened.run("() => document.documentElement.scrollHeight")
    opened.run(LET_GO)
    opened.tab.wait_for_function(f"() => ({WAITING})() === 0")
    assert abs(opened.run("() => document.documentElement.scrollHeight") - whole) > 100, "nothing was guessed"
    assert abs(opened.run(STILL_READ) - before) <= 2


def test_the_page_is_complete_without_scripts(visit, page):
    if page == "search.html":  # searching needs a script; the page says so
        assert "JavaScript" in visit(page, scripts=False).run(SEEN)["words"]
        return
    with_scripts, without = visit(page).run(TEXT), visit(page, scripts=False)
    seen = without.run(SEEN)
    assert not seen["hidden"], seen["hidden"][:5]
    left = without.run(TEXT)
    assert left["formulas"] == with_scripts["formulas"]
    missing = set(re.findall(r"\w{4,}", with_scripts["text"])) - set(re.findall(r"\w{4,}", left["text"]))
    assert len(missing) <= 20, sorted(missing)[:40]  # what a script adds: the words of its own controls
    assert not re.search(r"\$\$|\\\(|\\\[|\\begin\{", seen["words"])


def test_the_theme_of_the_machine_is_taken_without_scripts(visit):
    """With scripts off a page is at least readable in both schemes: text and ground differ."""
    for scheme in ("light", "dark"):
        ink, ground = visit("index.html", scheme=scheme, scripts=False).run(
            "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert ink != ground
