"""A page on a phone, and a page with scripts off."""

import re

from conftest import BUDGET

PHONE = {"width": BUDGET["book"]["phone_px"], "height": 844, "touch": True}
# what sticks out of the window, and what is cut off with no way to scroll to it
WIDE = """() => {
    const width = document.documentElement.clientWidth;
    const name = each => `${each.tagName.toLowerCase()}.${each.getAttribute('class')} to ${Math.round(each.getBoundingClientRect().right)}`;
    const scrolls = each => { for (let e = each; e && e !== document.body; e = e.parentElement) if (/auto|scroll/.test(getComputedStyle(e).overflowX)) return true; return false; };
    const apart = each => { for (let e = each; e; e = e.parentElement) if (getComputedStyle(e).position === 'fixed') return true; return false; };
    const out = [...document.querySelectorAll('main *')].filter(each => each.checkVisibility() && each.getBoundingClientRect().width > 0
        && each.getBoundingClientRect().right > width + 1 && !scrolls(each) && !apart(each) && !each.closest('.katex-mathml, .katex .svg-align, .katex .hide-tail'));  // KaTeX cuts its roots to length
    return { sideways: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - width, out: out.map(name) };
}"""
TEXT = """() => {
    const body = (document.querySelector('article') || document.body).cloneNode(true);
    for (const each of body.querySelectorAll('script, style, template, noscript, .katex-mathml, button, [aria-hidden=true]:not(.katex-html)')) each.remove();
    return { text: body.textContent.replace(/\\s+/g, ' '), formulas: document.querySelectorAll('.katex-html').length };
}"""
SEEN = """() => {
    const body = document.querySelector('article') || document.body;
    const shown = each => each.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: false }) && each.getBoundingClientRect().height > 0;
    return { hidden: [...body.querySelectorAll('p, pre, table, figure, li, .katex-html')].filter(each => each.textContent.trim() && !shown(each) && !each.closest('details:not([open]), .katex-mathml, template, noscript, [hidden], .sd-tab-content, .dropdown-menu')).map(each => each.outerHTML.slice(0, 160)),
             words: document.body.innerText };
}"""


def test_nothing_is_wider_than_a_phone(visit, page):
    opened = visit(page, **PHONE)
    opened.run(
        "() => { for (const each of document.querySelectorAll('details')) each.open = true; for (const each of document.querySelectorAll('.toggle-hidden .toggle-button')) each.click(); }"
    )
    wide = opened.run(WIDE)
    assert wide["sideways"] <= 0 and not wide["out"], wide


def test_a_wide_block_is_seen(visit):
    planted = "addEventListener('DOMContentLoaded', () => document.querySelector('article').insertAdjacentHTML('beforeend', '<div style=\"{}\"><div class=\"planted\" style=\"width:900px\">wide</div></div>'))"
    assert "planted" in str(visit("index.html", **PHONE, extra=planted.format("")).run(WIDE)["out"])
    assert "planted" in str(visit("index.html", **PHONE, extra=planted.format("overflow:hidden")).run(WIDE)["out"]), (
        "cut off, and no way to scroll to it"
    )
    assert "planted" not in str(visit("index.html", **PHONE, extra=planted.format("overflow:auto")).run(WIDE)["out"])


def test_what_waits_to_be_drawn_is_as_tall_as_it_will_be(visit, page):
    """Code and formulas far from the window are drawn late; nothing moves then, and code that scrolls is known to."""
    measure = "() => [...document.querySelectorAll('.bn-code, .katex-display')].map(each => [each.getBoundingClientRect().height, each.closest('pre, .katex-display').scrollWidth])"
    for options in ({}, PHONE):
        opened = visit(page, **options)
        opened.tab.wait_for_function(
            "() => [...document.querySelectorAll('.bn-interactive')].every(each => each.matches('.bn-running'))"
        )
        before, whole = opened.run(measure), opened.run("() => document.documentElement.scrollHeight")
        waiting = opened.run(
            "() => [...document.querySelectorAll('.bn-code, .katex-display')].filter(each => !each.firstElementChild?.checkVisibility({ contentVisibilityAuto: true })).length"
        )
        opened.run(
            "() => document.head.insertAdjacentHTML('beforeend', '<style>* { content-visibility: visible !important }</style>')"
        )
        after = opened.run(measure)
        moved = [
            (then, now)
            for then, now in zip(before, after, strict=True)
            if abs(then[0] - now[0]) > 1.5 or abs(then[1] - now[1]) > 1.5
        ]
        assert not moved, moved
        assert abs(opened.run("() => document.documentElement.scrollHeight") - whole) <= 4
        assert waiting or "/algorithm/" not in page, "nothing waits: the rule of the style sheet is gone"


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
