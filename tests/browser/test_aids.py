"""What helps a reader through a chapter: addresses to copy, where it stands, what comes next, what was read."""

import re

import pytest

CHAPTER = "chapters/algorithm/the-transform.html"
CLIPBOARD = """navigator.clipboard.writeText = async text => { window.copied = text; };"""
REFUSING = """navigator.clipboard.writeText = () => Promise.reject(new Error('no'));"""


def test_the_address_of_a_heading_is_copied_by_keyboard(visit):
    opened = visit(CHAPTER, extra=CLIPBOARD)
    button = opened.tab.locator("#takeaways > h2 > button")
    assert button.get_attribute("aria-label") == "Copy link to Takeaways"
    button.focus()
    assert float(button.evaluate("each => getComputedStyle(each).opacity")) == 1, "what has the focus is seen"
    opened.tab.keyboard.press("Enter")
    opened.tab.wait_for_function(
        "() => document.querySelector('body > [role=status]')?.textContent === 'Address copied'"
    )
    assert opened.run("() => window.copied").endswith(f"{CHAPTER}#takeaways")
    assert opened.tab.url.endswith("#takeaways")


def test_a_browser_that_refuses_leaves_the_address_where_it_can_be_copied(visit):
    opened = visit(CHAPTER, extra=REFUSING)
    opened.tab.locator("#takeaways > h2 > button").click()
    opened.tab.wait_for_function(
        "() => document.querySelector('body > [role=status]')?.textContent.includes('address bar')"
    )
    assert opened.tab.url.endswith("#takeaways")


def test_figures_and_verdicts_have_an_address_too(visit):
    opened = visit(CHAPTER, extra=CLIPBOARD)
    figure = opened.tab.locator("figure.bn-figure[id] button.bn-copy").first
    figure.click()
    opened.tab.wait_for_function("() => /#fig-[a-z-]+$/.test(window.copied)")


def test_without_scripts_the_sign_is_a_link(visit):
    opened = visit(CHAPTER, scripts=False)
    assert opened.tab.locator("#takeaways > h2 > a.headerlink").get_attribute("href") == "#takeaways"


def test_the_foot_of_a_chapter_leads_on(visit):
    opened = visit(CHAPTER, scripts=False)
    steps = opened.tab.locator("nav.bn-next a")
    assert steps.count() >= 1
    assert "student" in opened.tab.locator("nav.bn-next").inner_text()
    for address in steps.evaluate_all("all => all.map(each => each.href)"):
        assert opened.tab.request.get(address).ok, "only what is written is linked"


def test_a_chapter_says_where_it_stands_and_how_long_each_section_takes(visit):
    opened = visit(CHAPTER, width=1440, scripts=False)
    number, count = map(
        int, re.search(r"Chapter (\d+) of (\d+)", opened.tab.locator(".bn-reading").inner_text()).groups()
    )
    assert opened.tab.locator(".bn-strokes i").count() == count
    assert opened.tab.locator(".bn-strokes .bn-past").count() == number - 1
    parts = opened.tab.locator(".bd-toc-nav a[data-minutes]").evaluate_all(
        "all => all.map(each => +each.dataset.minutes)"
    )
    whole = int(re.search(r"about (\d+) minutes", opened.tab.locator(".bn-reading").inner_text())[1])
    assert len(parts) > 5 and all(part > 0 for part in parts)
    assert abs(sum(parts) - whole) <= len(parts) + 3, "each is rounded"


@pytest.mark.parametrize("width", [1440, 390])
def test_a_chapter_that_was_read_to_its_end_is_marked(visit, width):
    opened = visit(CHAPTER, width=width)
    mark = "nav.bd-links a.bn-read"
    assert opened.tab.locator(mark).count() == 0
    opened.tab.locator("nav.bn-next").scroll_into_view_if_needed()
    opened.tab.wait_for_function("() => localStorage.getItem('bn-read')")
    opened.tab.reload()
    assert opened.tab.locator(mark).count() == 1
    assert "(read)" in opened.tab.locator(mark).text_content()


def test_the_run_log_is_folded(visit):
    opened = visit(CHAPTER, scripts=False)
    fold = opened.tab.locator("#run-log details.bn-fold")
    assert not fold.locator("table").is_visible()
    fold.locator("summary").click()
    assert fold.locator("table").is_visible()
