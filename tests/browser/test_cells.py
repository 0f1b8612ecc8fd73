"""Bars, predictions, the read/code switch and the cards, on a page with one cell of each kind."""

import lesson
import pytest

from conftest import AXE, Visit
from press import browser as chrome

OPEN_BARS = "() => document.querySelectorAll('details.bn-bar[open]').length"
ANSWER = "() => document.querySelector('.bn-answer').checkVisibility()"
IN_SIGHT = """id => {
    const box = document.getElementById(id).getBoundingClientRect();
    return box.height > 0 && box.top > 60 && box.bottom < innerHeight;
}"""
FOLLOW = """address => {
    const link = document.createElement('a');
    link.href = address;
    document.body.append(link);
    link.click();
}"""
GROUND = "id => getComputedStyle(document.getElementById(id)).backgroundColor"
HEIGHTS = """() => [...document.querySelectorAll('.bn-bar > :not(summary)')]
    .map(each => each.getBoundingClientRect().height)"""
CARD = "() => [...document.querySelectorAll('.bn-card:not([hidden])')].map(each => each.innerText.trim())"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with chrome.serve(lesson.build(tmp_path_factory.mktemp("lesson"))) as served:
        yield served


@pytest.fixture
def open_lesson(browser, address):
    opened = []

    def start(page="lesson.html", **options):
        opened.append(Visit(browser, address, page, **options))
        return opened[-1]

    yield start
    # the theme asks for formulas and icons that the book replaces
    faults = [fault for each in opened for fault in each.complaints if "Failed to load resource" not in fault]
    for each in opened:
        each.context.close()
    assert not faults


def test_the_switch_opens_and_closes_all_bars_and_is_remembered(open_lesson):
    opened = open_lesson()
    switch = opened.tab.get_by_role("button", name="read code", exact=True)
    assert opened.run(OPEN_BARS) == 0 and switch.get_attribute("aria-pressed") == "false"
    switch.focus()
    opened.tab.keyboard.press("Enter")
    assert opened.run(OPEN_BARS) == 4 and switch.get_attribute("aria-pressed") == "true"
    opened.tab.reload()
    assert opened.run(OPEN_BARS) == 4
    switch.click()
    assert opened.run(OPEN_BARS) == 0
    opened.tab.reload()
    assert opened.run(OPEN_BARS) == 0


def test_the_switch_shows_all_answers_and_solutions_and_leaves_a_guess_alone(open_lesson, visit):
    opened = open_lesson()
    switch = opened.tab.get_by_role("button", name="read code", exact=True)
    for _ in range(2):
        switch.click()
        assert opened.run(ANSWER)
        switch.click()
        assert not opened.run(ANSWER)
    opened.tab.get_by_label("large", exact=True).check()
    switch.click()
    switch.click()
    assert opened.run(ANSWER) and opened.tab.get_by_label("large", exact=True).is_checked()
    chapter = visit("chapters/problem/deep-networks-fail.html")
    folded = "() => document.querySelectorAll('.solution.toggle-hidden').length"
    chapter.tab.wait_for_function(f"() => ({folded})() > 0")
    count = chapter.run(folded)
    chapter.tab.locator(".bn-switch").click()
    assert chapter.run(folded) == 0
    chapter.tab.reload(wait_until="load")
    chapter.tab.wait_for_function("() => document.querySelector('.solution.toggle')")
    assert chapter.run(folded) == 0
    chapter.tab.locator(".bn-switch").click()
    assert chapter.run(folded) == count


@pytest.mark.parametrize("answered", [True, False])
def test_the_reader_keeps_the_place_when_bars_and_answers_open_above(open_lesson, answered):
    opened = open_lesson(height=500)
    if answered:
        opened.tab.locator(".bn-skip input").check()
    top = "() => document.querySelector('.bn-claim').getBoundingClientRect().top"
    opened.run("() => scrollTo({ top: document.querySelector('.bn-claim').offsetTop - 80, behavior: 'instant' })")
    before = opened.run(top)
    assert 0 < before < 400
    opened.run("() => document.querySelector('.bn-switch').click()")  # Playwright would scroll to it
    assert abs(opened.run(top) - before) < 3


def test_a_bar_opens_by_keyboard(open_lesson):
    opened = open_lesson()
    opened.tab.locator(".bn-setup summary").focus()
    opened.tab.keyboard.press("Enter")
    assert opened.run(OPEN_BARS) == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_a_choice_shows_the_answer(open_lesson, scripts):
    opened = open_lesson(scripts=scripts)
    answer = opened.tab.get_by_text("The answer is told here.")
    assert not answer.is_visible()
    opened.tab.get_by_label("large", exact=True).check()
    assert answer.is_visible()
    group = opened.tab.get_by_role("group", name="Predict How large is")
    assert group.get_by_role("radio").count() == 4


def test_a_choice_inside_the_answer_does_not_show_it(open_lesson):
    """An interactive figure brings radio buttons of its own, one of them chosen from the start."""
    opened = open_lesson()
    choice = "<fieldset><input type=radio checked></fieldset>"
    opened.run("html => document.querySelector('.bn-answer').insertAdjacentHTML('beforeend', html)", choice)
    assert not opened.run(ANSWER)


def test_the_answer_is_shown_by_keyboard_without_guessing(open_lesson):
    opened = open_lesson()
    opened.tab.locator(".bn-predict input").first.focus()
    for _ in range(3):
        opened.tab.keyboard.press("ArrowDown")
    assert opened.run("() => document.activeElement.parentElement.innerText") == "Show the answer without guessing"
    assert opened.run(ANSWER)


@pytest.mark.parametrize("place", ["n-size", "n-z", "code-line"])
def test_a_link_into_something_closed_opens_it(open_lesson, place):
    for opened in (open_lesson(f"lesson.html#{place}"), open_lesson()):
        opened.run("place => { location.hash = place }", place)
        opened.tab.wait_for_function(IN_SIGHT, arg=place)
        assert opened.run(ANSWER) is (place == "n-size")
        opened.run("() => { for (const each of document.querySelectorAll('details')) each.open = false }")
        opened.run(FOLLOW, f"#{place}")  # the same place once more
        opened.tab.wait_for_function(IN_SIGHT, arg=place)


@pytest.mark.parametrize("way", ["hover", "focus", "tap"])
def test_a_number_shows_its_evidence_and_leads_to_it(open_lesson, way):
    opened = open_lesson(touch=way == "tap")
    number = opened.tab.locator("a.bn-number").first
    getattr(number, way)()
    opened.tab.wait_for_selector(".bn-card:not([hidden])")
    lines = [
        "measured in 3 seeds",
        "median ≈0.2",
        "lowest ≈0.1",
        "highest ≈0.3",
        "every seed < 0.5",
        "prove this number",
    ]
    assert opened.run(CARD) == ["\n".join(lines)]
    assert number.get_attribute("title") is None, "the browser would show it a second time"
    assert "≈0.2" in opened.tab.locator(f"#{number.get_attribute('aria-describedby')}").inner_text()
    if way == "focus":
        opened.tab.keyboard.press("Enter")
    elif way == "tap":
        assert "#" not in opened.tab.url, "the first tap must not leave"
        opened.tab.get_by_text("prove this number").tap()
    else:
        opened.tab.get_by_text("prove this number").click()
    opened.tab.wait_for_function(IN_SIGHT, arg="n-size")
    assert opened.tab.url.endswith("#n-size") and opened.run(CARD) == []
    assert opened.run(GROUND, "n-size") != opened.run(GROUND, "n-count"), "the line is not marked"


def test_a_card_goes_by_escape_and_by_leaving_and_serves_whatever_has_one(open_lesson):
    opened = open_lesson()
    opened.tab.locator("a.bn-number").nth(1).focus()
    assert opened.run(CARD) == ["exact\n3\nprove this number"]
    opened.tab.keyboard.press("Escape")
    assert opened.run(CARD) == []
    opened.tab.locator(".bn-symbol").hover()
    opened.tab.wait_for_selector(".bn-card:not([hidden])")
    assert opened.run(CARD) == ["the batch size"]
    opened.tab.mouse.move(5, 5)
    opened.tab.wait_for_function(f"() => ({CARD})().length === 0")
    opened.run("() => { document.querySelector('article h1').dataset.card = 'a heading' }")
    opened.tab.locator("article h1").hover()
    opened.tab.wait_for_function(f"() => ({CARD})().includes('a heading')")


def test_a_card_stays_on_a_phone(open_lesson):
    opened = open_lesson(width=390, height=844, touch=True)
    opened.tab.locator("a.bn-number").first.tap()
    box = opened.tab.locator(".bn-card").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_paper_has_sentences_and_answers_but_no_folded_code(open_lesson):
    opened = open_lesson()
    opened.run("() => { for (const each of document.querySelectorAll('details')) each.open = true }")
    opened.tab.emulate_media(media="print")
    for shown in ("import what is needed", "the bound, and the size", "The answer is told here.", "How "):
        assert opened.tab.get_by_text(shown).first.is_visible()
    assert set(opened.run(HEIGHTS)) == {0}
    assert not opened.tab.get_by_text("code (1 line)").is_visible()
    assert not opened.tab.get_by_text("Show the answer without guessing").is_visible()
    lesson_code = "() => [...document.querySelectorAll('.cell > .cell_input')].every(each => each.offsetHeight > 10)"
    assert opened.run(lesson_code)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_the_press_made(open_lesson, scheme):
    opened = open_lesson(scheme=scheme)
    opened.run("() => { for (const each of document.querySelectorAll('details')) each.open = true }")
    opened.tab.locator(".bn-skip input").check()
    opened.tab.locator("a.bn-number").first.focus()
    opened.tab.add_script_tag(path=str(AXE))
    found = opened.run(
        "() => axe.run({ include: [['.bn-bar'], ['.bn-predict'], ['.bn-card'], ['.bn-switch'], ['article p']] })"
        ".then(result => result.violations.map(each => [each.id, each.nodes.map(node => node.html)]))"
    )
    assert found == []
