"""axe-core finds nothing on any page, in both themes, as loaded and in all that opens; headings, themes and motion."""

from itertools import pairwise

import pytest

from conftest import AXE, PAGES, Visit

SCAN = """async within => {
    const present = within?.filter(each => document.querySelector(each)).map(each => [each]);
    const options = { resultTypes: ['violations'], iframes: false, rules: { 'target-size': { enabled: true } } };
    const found = await axe.run(present ? { include: present } : document, options);
    return found.violations.flatMap(rule => rule.nodes.map(node => {
        const said = (node.failureSummary || '').split('\\n').slice(1).join(' ').trim().slice(0, 200);
        return `${rule.id} (${rule.impact}) ${node.target.flat().join(' ')}: ${said}`;
    }));
}"""
# what `Visit.open_everything` opens
OPENED = ["details", ".toggle", ".dropdown-menu", ".bd-sidebar-primary"]
LOOKS = """() => {
    document.getAnimations().forEach(each => each.finish());
    // the button shows which of three themes is chosen, the contents where the reader is; figures that answer have
    // tests of their own
    const shown = each => each.checkVisibility() && !each.closest('.theme-switch-button, .page-toc, .bn-interactive');
    const colours = style => [style.color, style.backgroundColor, style.borderTopColor, style.fill, style.stroke,
                              style.colorScheme, style.filter];
    return [...document.querySelectorAll('body, body *')].filter(shown).map(each =>
        [each.tagName, each.id, each.getAttribute('class'), ...colours(getComputedStyle(each))].join(' '));
}"""
HEADINGS = """() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(each => each.checkVisibility())
    .map(each => [+each.tagName[1], each.innerText.trim()])"""
MOVING = """() => {
    const seconds = text => Math.max(...text.split(',').map(parseFloat));
    const moves = style => seconds(style.transitionDuration) > .01 || style.scrollBehavior === 'smooth'
        || style.animationName !== 'none' && seconds(style.animationDuration) > .01;
    return [...document.querySelectorAll('*')].flatMap(each => [null, '::before', '::after'].map(part => [each, part]))
        .filter(([each, part]) => moves(getComputedStyle(each, part)))
        .map(([each, part]) => each.tagName + '.' + each.getAttribute('class') + (part || ''));
}"""


def violations(visit, within=None):
    """Every fault that axe-core sees, one line a node; `within`: selectors of the parts to look at, all if None."""
    if not visit.run("() => 'axe' in window"):
        visit.run(AXE.read_text("utf8"))
    return visit.run(SCAN, within)


@pytest.fixture(
    scope="module",
    params=[(page, scheme) for page in PAGES for scheme in ("light", "dark")],
    ids=lambda param: "-".join(param),
)
def shown(browser, site, request):
    """A page in one theme, for several tests that only look."""
    page, scheme = request.param
    visit = Visit(browser, site, page, scheme=scheme, motion="reduce")
    visit.scheme = scheme
    yield visit
    visit.context.close()


def test_one_visible_title_and_no_level_skipped(shown):
    levels = shown.run(HEADINGS)
    assert [level for level, _ in levels].count(1) == 1, levels
    assert all(text for _, text in levels), "an empty heading"
    assert not [f"{above[1]} -> {below[1]}" for above, below in pairwise(levels) if below[0] > above[0] + 1]


def test_nothing_moves_for_who_asks_for_less_motion(shown):
    moving = shown.run(MOVING)
    assert not moving, moving[:10]


def test_a_chosen_theme_looks_as_the_preferred_one(shown, visit):
    other = {"light": "dark", "dark": "light"}[shown.scheme]
    assert shown.run("() => document.documentElement.dataset.theme") == shown.scheme
    if shown.scheme == "light" and shown.page != "index.html":
        return  # one sheet for all: the other way round is looked at on the first page
    chosen = visit(shown.page, scheme=other, stored=shown.scheme, motion="reduce").run(LOOKS)
    differing = [f"{a} | {b}" for a, b in zip(shown.run(LOOKS), chosen, strict=True) if a != b]
    assert not differing, "\n".join(differing[:10])


def test_axe_finds_nothing(shown):
    faults = violations(shown)
    shown.open_everything()
    faults += [f"opened: {fault}" for fault in violations(shown, OPENED)]
    assert not faults, "\n".join(faults)
    assert not shown.faults()


def test_axe_sees_planted_faults(visit):
    """A picture without words, pale text, tiny targets in a folded block: the scan is awake, and hears what opens."""
    opened = visit(
        "index.html",
        extra="""document.addEventListener('DOMContentLoaded', () => {
            const tiny = '<button style="width:9px;height:9px;padding:0;border:0">a</button>';
            const pale = '<p style="color:#ccc;background:#fff">pale</p>';
            document.querySelector('article').insertAdjacentHTML('beforeend',
                '<details><summary>s</summary><img src="data:,">' + pale + tiny + tiny + '</details>');
        });""",
    )
    before = " ".join(violations(opened))
    opened.open_everything()
    after = " ".join(violations(opened, OPENED))
    for rule in ("image-alt", "color-contrast", "target-size"):
        assert rule not in before and rule in after
