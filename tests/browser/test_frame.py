"""The frame around a page: colours, search, the bars at both sides, the contents, menus, and what scrolls sideways."""

import pytest

CHAPTER = "chapters/problem/internal-covariate-shift.html"
SHOWN = (
    "selector => document.querySelector(selector).checkVisibility({ visibilityProperty: true, opacityProperty: true })"
)
HERE = "() => [...document.querySelectorAll('.bd-toc-nav a.active')].map(each => each.hash)"


@pytest.mark.parametrize(
    ("system", "order"), [("light", ["dark", "light", "auto"]), ("dark", ["light", "dark", "auto"])]
)
def test_colours_go_round_and_are_remembered(visit, system, order):
    opened = visit("index.html", scheme=system)
    opened.run("() => localStorage.setItem('mode', 'auto')")
    opened.tab.reload()
    for mode in order:
        opened.tab.locator(".theme-switch-button:visible").first.click()
        seen = opened.run("() => [{...document.documentElement.dataset}, localStorage.mode, localStorage.theme]")
        theme = system if mode == "auto" else mode
        assert (seen[0]["mode"], seen[0]["theme"], *seen[1:]) == (mode, theme, mode, theme)
    opened.tab.emulate_media(color_scheme="dark" if system == "light" else "light")
    opened.tab.wait_for_function(
        "system => document.documentElement.dataset.theme !== system", arg=system
    )  # auto follows


def test_search_opens_by_button_and_by_key_and_closes(visit):
    opened = visit(CHAPTER, motion="reduce")
    field = ".search-button__wrapper input"
    assert not opened.run(SHOWN, field)
    opened.tab.keyboard.press("Control+k")
    assert opened.run(SHOWN, field)
    assert opened.run("selector => document.activeElement.matches(selector)", field)
    opened.tab.keyboard.press("Escape")
    assert not opened.run(SHOWN, field)
    opened.tab.locator(".search-button__button:visible").first.click()
    opened.tab.keyboard.type("whitening")
    opened.tab.keyboard.press("Enter")
    opened.tab.wait_for_url("**/search.html?q=whitening")
    opened.tab.wait_for_selector("ul.search li")
    opened.run("() => document.activeElement.blur()")
    opened.tab.keyboard.press("Control+k")
    assert opened.run("() => Boolean(document.activeElement.closest('main form.bd-search'))"), "its own field"


@pytest.mark.parametrize("side", ["primary", "secondary"])
def test_a_bar_comes_in_takes_the_focus_and_gives_it_back(visit, side):
    opened = visit(CHAPTER, width=390, height=844, motion="reduce")
    button, bar = opened.tab.locator(f".{side}-toggle:visible"), f".bd-sidebar-{side}"
    button.focus()
    opened.tab.keyboard.press("Enter")
    opened.tab.wait_for_function("bar => Boolean(document.activeElement.closest(bar))", arg=bar)
    assert opened.run(SHOWN, f"{bar} a")
    opened.tab.keyboard.press("Escape")
    assert opened.run("side => document.activeElement.matches(`.${side}-toggle`)", side)
    assert not opened.run("side => document.getElementById(`pst-${side}-sidebar-checkbox`).checked", side)


def test_the_contents_mark_the_section_that_is_read(visit):
    opened = visit(CHAPTER, width=1440, motion="reduce")
    hashes = opened.run("() => [...document.querySelectorAll('.bd-toc-nav > ul > li > a')].map(each => each.hash)")
    for wanted in (hashes[2], hashes[-1], hashes[1]):
        opened.run("hash => document.querySelector(hash).scrollIntoView({ behavior: 'instant' })", wanted)
        opened.tab.wait_for_function(f"wanted => ({HERE})().includes(wanted)", arg=wanted)
        assert set(opened.run(HERE)) & set(hashes) == {wanted}


def test_the_bar_of_chapters_stays_where_it_was(visit):
    opened = visit(CHAPTER, width=1440, height=400, motion="reduce")
    opened.run("() => { document.querySelector('.bd-sidebar-primary').scrollTop = 120 }")
    opened.tab.goto(opened.site + "chapters/reference/glossary.html")
    opened.tab.wait_for_function("() => document.querySelector('.bd-sidebar-primary').scrollTop === 120")


def test_the_menu_of_downloads_opens_and_closes_by_keyboard(visit):
    opened = visit(CHAPTER, motion="reduce")
    menu = opened.tab.locator("details.dropdown > summary:visible").first
    menu.focus()
    opened.tab.keyboard.press("Enter")
    link = "details.dropdown .dropdown-menu a"
    assert opened.run(SHOWN, link)
    box, width = opened.tab.locator(link).first.bounding_box(), opened.tab.viewport_size["width"]
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    opened.tab.keyboard.press("Tab")
    assert opened.run("link => document.activeElement.matches(link)", link)
    opened.tab.keyboard.press("Escape")
    assert not opened.run(SHOWN, link)
    assert opened.run("() => document.activeElement.matches('summary')")
    menu.click()
    opened.tab.locator("article h1").click()
    assert not opened.run(SHOWN, link)


def test_what_scrolls_sideways_is_a_stop_for_the_keyboard(visit):
    opened = visit(CHAPTER, width=390, height=844, motion="reduce")
    wide = "[...document.querySelectorAll('article pre')].filter(each => each.scrollWidth > each.clientWidth)"
    before = opened.run(f"() => {wide}.length")
    opened.run("() => { for (const each of document.querySelectorAll('.bn-predict .bn-skip input')) each.click() }")
    assert opened.run(f"() => {wide}.length") > before > 0
    opened.scroll_through()  # a section far away has no layout yet
    opened.tab.wait_for_function(f"() => {wide}.every(each => each.tabIndex === 0)")
    opened.tab.set_viewport_size({"width": 1440, "height": 900})
    opened.tab.wait_for_function("() => !document.querySelector('article pre[tabindex=\"0\"]')")
