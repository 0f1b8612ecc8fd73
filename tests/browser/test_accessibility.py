"""axe-core finds nothing on any page, in both themes, as loaded and with everything opened; headings, focus and motion."""

import pytest
from conftest import AXE, PAGES

SCAN = """async () => {
    const found = await axe.run(document, { resultTypes: ['violations'], iframes: false, rules: { 'target-size': { enabled: true } } });
    return found.violations.flatMap(rule => rule.nodes.map(node =>
        `${rule.id} (${rule.impact}) ${node.target.flat().join(' ')}: ${(node.failureSummary || '').split('\\n').slice(1).join(' ').trim().slice(0, 200)}`));
}"""
LOOKS = """() => {
    document.getAnimations().forEach(each => each.finish());
    const shown = each => each.checkVisibility() && !each.closest('.theme-switch-button');  // it shows which of three is chosen
    return [...document.querySelectorAll('body, body *')].filter(shown).map(each => {
        const style = getComputedStyle(each);
        return [each.tagName, each.id, each.getAttribute('class'), style.color, style.backgroundColor, style.borderTopColor, style.fill, style.stroke, style.colorScheme, style.filter].join(' ');
    });
}"""


def violations(visit):
    """Every fault that axe-core sees, one line a node."""
    if not visit.run("() => 'axe' in window"):
        visit.run(AXE.read_text("utf8"))
    return visit.run(SCAN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, page, scheme):
    opened = visit(page, scheme=scheme, motion="reduce")
    assert opened.run("() => document.documentElement.dataset.theme") == scheme
    faults = violations(opened)
    opened.open_everything()
    faults += [f"opened: {fault}" for fault in violations(opened) if fault not in faults]
    assert not faults, "\n".join(faults)


def test_axe_sees_planted_faults(visit):
    """A picture without words, pale text and a tiny target: the scan is awake, and hears of opened blocks."""
    opened = visit("index.html", extra="""document.addEventListener('DOMContentLoaded', () => document.querySelector('article').insertAdjacentHTML('beforeend',
        '<details><summary>s</summary><img src="data:,"><p style="color:#ccc;background:#fff">pale</p><button style="width:9px;height:9px;padding:0;border:0">a</button>' +
        '<button style="width:9px;height:9px;padding:0;border:0">b</button></details>'))""")
    before = " ".join(violations(opened))
    opened.open_everything()
    after = " ".join(violations(opened))
    for rule in ("image-alt", "color-contrast", "target-size"):
        assert rule not in before and rule in after


@pytest.mark.parametrize(("page", "chosen"), [(page, "dark") for page in PAGES] + [("index.html", "light")])
def test_a_chosen_theme_looks_as_the_preferred_one(visit, page, chosen):
    other = {"light": "dark", "dark": "light"}[chosen]
    by_preference = visit(page, scheme=chosen, motion="reduce").run(LOOKS)
    by_choice = visit(page, scheme=other, stored=chosen, motion="reduce").run(LOOKS)
    differing = [f"{a} | {b}" for a, b in zip(by_preference, by_choice, strict=True) if a != b]
    assert not differing, "\n".join(differing[:10])


def test_one_visible_title_and_no_level_skipped(visit, page):
    opened = visit(page)
    levels = opened.run("() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(each => each.checkVisibility()).map(each => [+each.tagName[1], each.innerText.trim()])")
    assert [level for level, _ in levels].count(1) == 1, levels
    assert all(text for _, text in levels), "an empty heading"
    skipped = [f"{above[1]} -> {below[1]}" for above, below in zip(levels, levels[1:]) if below[0] > above[0] + 1]
    assert not skipped


def test_nothing_moves_for_who_asks_for_less_motion(visit, page):
    opened = visit(page, motion="reduce")
    moving = opened.run("""() => [...document.querySelectorAll('*')].flatMap(each => [null, '::before', '::after'].map(part => [each, part])).filter(([each, part]) => {
        const style = getComputedStyle(each, part), seconds = text => Math.max(...text.split(',').map(parseFloat));
        return seconds(style.transitionDuration) > .01 || style.animationName !== 'none' && seconds(style.animationDuration) > .01 || style.scrollBehavior === 'smooth';
    }).map(([each, part]) => each.tagName + '.' + each.getAttribute('class') + (part || ''))""")
    assert not moving, moving[:10]
