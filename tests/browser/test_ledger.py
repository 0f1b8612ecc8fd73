"""The ledger: its dots are the records' values, its filters work by keyboard, and it is complete without scripts."""

import csv
import io
import json
import math
import statistics

import pytest
from test_accessibility import violations
from test_keyboard import VISIBLE, tab_to

from bnutils import cards, claims
from conftest import HTML, ROOT

LEDGER = "chapters/evidence/ledger.html"
CLAIMS = claims.load()
RECORDS = {
    output["data"][claims.MIME]["claim"]: (path, output["data"][claims.MIME])
    for path in sorted((ROOT / "chapters").rglob("*.ipynb"))
    for cell in json.loads(path.read_text("utf8"))["cells"]
    for output in cell.get("outputs", [])
    if claims.MIME in output.get("data", {})
}
# of every strip on a card: its dots from the highest down, as shares of the way between the values at its ends
DOTS = """id => {
    const card = document.getElementById(id);
    for (const each of [card, ...card.querySelectorAll('details')]) each.open = true;
    return [...card.querySelectorAll('tbody tr')].map(row => {
        const svg = row.querySelector('svg'), whole = svg.getBoundingClientRect();
        const unit = whole.width / svg.viewBox.baseVal.width;
        const dots = [...svg.querySelectorAll('circle')].map(dot => {
            const box = dot.getBoundingClientRect(), x = (box.left + box.width / 2 - whole.left) / unit;
            return { x, y: box.top, filled: getComputedStyle(dot).fill !== 'none' };
        });
        const ends = [...svg.querySelectorAll('text:not(.bn-mark)')].map(each => each.textContent);
        return { what: row.querySelector('th').textContent.trim(), ends, dots: dots.sort((a, b) => a.y - b.y) };
    });
}"""
SHOWN = """() => [...document.querySelectorAll('[data-verdict]')].filter(each => each.checkVisibility() ||
    (each.closest('.bn-pending-claims') && !each.hidden)).map(each => each.id)"""


def places(condition, ends):
    """Where the values of a recorded condition lie on a strip with these ends, by the words of the ledger."""
    relation, bound = condition["bound"].split()
    bound = float(bound)
    left, right = (float(each.replace("−", "-")) for each in (ends[0], ends[2]))
    linear = condition["kind"] in ("difference", "equivalence") or bound <= 0
    for value in condition["values"]:
        if linear:
            share = (value - left) / (right - left)
        elif value <= 0:
            share = 1 if relation.startswith("<") else 0
        else:
            share = math.log(value / left) / math.log(right / left)
        yield cards.EDGE + min(max(share, 0), 1) * (cards.WIDTH - 2 * cards.EDGE)


def keeps(condition, value):
    relation, bound = condition["bound"].split()
    return abs(value) < float(bound) if relation == "within" else claims.RELATIONS[relation](value, float(bound))


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_every_dot_is_a_value_of_the_record(visit, phone):
    opened = visit(LEDGER, **({"width": 390, "height": 844} if phone else {}))
    assert RECORDS
    for claim, (_, record) in RECORDS.items():
        rows = {row["what"]: row for row in opened.run(DOTS, claim)}
        assert len(rows) == len(record["conditions"]), claim
        for condition in record["conditions"]:
            (row,) = [row for what, row in rows.items() if what.startswith(condition["what"])]
            assert len(row["dots"]) == len(condition["values"]) == len(record["seeds"])
            for dot, value, x in zip(row["dots"], condition["values"], places(condition, row["ends"]), strict=True):
                assert abs(dot["x"] - x) < 1.5, (claim, condition["quantity"], value)
                assert dot["filled"] == keeps(condition, value), (claim, condition["quantity"], value)


def test_a_chapter_shows_the_same_card(visit):
    ledger = visit(LEDGER)
    for claim, (path, _) in RECORDS.items():
        chapter = visit(path.relative_to(ROOT).with_suffix(".html").as_posix() + f"#{claim}")
        both = [page.run(DOTS, claim) for page in (ledger, chapter)]
        for one, other in zip(*both, strict=True):
            assert one["what"] == other["what"] and one["ends"] == other["ends"]
            assert [dot["x"] for dot in one["dots"]] == pytest.approx([dot["x"] for dot in other["dots"]], abs=0.1)
        link = chapter.run("id => document.querySelector(`#${id} .bn-claim-foot a`).href", claim)
        assert link == f"{chapter.site}{LEDGER}#claim-{claim.lower()}"
        to_cell = ledger.run("id => document.querySelector(`#${id} a[href*='#judges-']`).getAttribute('href')", claim)
        assert (
            chapter.run("id => document.getElementById(id)?.querySelector('.bn-claim')?.id", to_cell.split("#")[1])
            == claim
        )


def test_the_table_to_download_holds_what_the_records_hold(visit):
    opened = visit(LEDGER)
    text = opened.run("() => fetch(document.querySelector('a[download]').href).then(answer => answer.text())")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(dict.fromkeys(row["claim"] for row in rows)) == list(CLAIMS)
    for claim, (_, record) in RECORDS.items():
        found = {row["condition"]: row for row in rows if row["claim"] == claim}
        assert list(found) == [condition["quantity"] for condition in record["conditions"]]
        for condition in record["conditions"]:
            row = found[condition["quantity"]]
            assert list(map(float, row["values"].split())) == condition["values"]
            assert float(row["median"]) == pytest.approx(statistics.median(condition["values"]))
            assert (row["verdict"], row["state"], int(row["n"])) == (
                record["verdict"],
                condition["state"],
                len(record["seeds"]),
            )
            assert list(map(int, row["seeds"].split())) == record["seeds"] and row["run"] == CLAIMS[claim].run
            assert int(row["keeping"]) == sum(keeps(condition, value) for value in condition["values"])
            assert float(row["mean"]) == pytest.approx(statistics.mean(condition["values"]))
            assert (row["interval_low"] != "") == (row["sign_flip_p"] != "") == ("interval" in condition)
            assert not (condition["kind"] == "identity" and row["clearance"])
            assert {name: row[f"{name}_is"] for name in condition["beside"]} == condition["beside"]
    pending = [row for row in rows if row["verdict"] == "pending"]
    assert {row["claim"] for row in pending} == CLAIMS.keys() - RECORDS.keys()
    assert not any(row["condition"] for row in pending)


def test_a_tile_and_a_row_a_claim_with_its_verdict(visit):
    opened = visit(LEDGER)
    verdicts = {claim: RECORDS[claim][1]["verdict"] if claim in RECORDS else "pending" for claim in CLAIMS}
    tiles = opened.run("""() => [...document.querySelectorAll('.bn-tiles a')].map(each =>
        [each.hash.slice(7).toUpperCase(), each.className, each.getAttribute('aria-label'), each.title])""")
    assert [tile[0] for tile in tiles] == list(CLAIMS)
    for claim, look, said, title in tiles:
        assert look == f"bn-{verdicts[claim]}" and said == title == f"{claim}, {verdicts[claim]}: {CLAIMS[claim].says}"
    rows = opened.run(
        "() => [...document.querySelectorAll('[data-verdict]')].map(each => [each.id, each.dataset.verdict])"
    )
    assert dict(rows) == verdicts
    assert [claim for claim, _ in rows] == sorted(verdicts, key=lambda claim: verdicts[claim] == "pending")
    tally = opened.run("() => document.querySelector('.bn-tally').textContent")
    assert tally.startswith(f"{len(CLAIMS)} things people say") and f" {len(RECORDS)} judged" in tally
    assert opened.run("() => document.querySelectorAll('.page-toc a, .bd-toc-nav a').length") < 10


def choose(opened, field, value):
    """Press a filter by keyboard alone, from the button before it."""
    wanted = f'.bn-filters button[data-field="{field}"][data-value="{value}"]'
    opened.run("() => Object.assign(document.querySelector('.bn-tally'), { tabIndex: -1 }).focus()")
    assert tab_to(opened, wanted, limit=30)
    focus = opened.run(VISIBLE)
    assert focus["differs"] and focus["shown"], focus
    opened.tab.keyboard.press("Enter")
    return wanted


def test_filters_work_by_keyboard_and_stand_in_the_address(visit):
    opened = visit(LEDGER, motion="reduce")
    wanted = choose(opened, "verdict", "partly")
    partly = [claim for claim, (_, record) in RECORDS.items() if record["verdict"] == "partly"]
    assert sorted(opened.run(SHOWN)) == sorted(partly)
    assert opened.run("wanted => document.querySelector(wanted).getAttribute('aria-pressed')", wanted) == "true"
    assert opened.run("() => location.search") == "?verdict=partly"
    assert f"{len(partly)} of {len(CLAIMS)}" in opened.run("() => document.querySelector('[role=status]').textContent")
    choose(opened, "verdict", "pending")
    choose(opened, "part", "practice")
    choose(opened, "source", "articles")
    asked = opened.run("() => location.search")
    expected = {
        claim.id
        for claim in CLAIMS.values()
        if claim.id not in RECORDS and claim.chapter.startswith("practice/") and claim.id.startswith("C")
    }
    assert expected and set(opened.run(SHOWN)) == expected
    assert opened.run("() => document.querySelector('.bn-pending-claims').open"), "what was asked for lies in the fold"
    again = visit(LEDGER + asked)
    assert set(again.run(SHOWN)) == expected
    off = again.run(
        "() => [...document.querySelectorAll('.bn-tiles a[data-off]')].map(each => each.hash.slice(7).toUpperCase())"
    )
    assert set(off) == CLAIMS.keys() - expected
    choose(opened, "verdict", "")
    choose(opened, "part", "")
    choose(opened, "source", "")
    assert len(opened.run(SHOWN)) == len(CLAIMS) and opened.run("() => location.search") == ""
    assert not opened.run("() => document.querySelector('.bn-pending-claims').open"), "as it was at first"


def test_the_counts_of_a_filter_follow_the_others_and_nothing_is_said_where_nothing_matches(visit):
    opened = visit(LEDGER + "?verdict=holds&part=practice", motion="reduce")
    holding = [claim for claim, (_, record) in RECORDS.items() if record["verdict"] == "holds"]
    assert not any(CLAIMS[claim].chapter.startswith("practice/") for claim in holding), "else choose another pair"
    assert opened.run(SHOWN) == []
    assert opened.run("() => document.querySelector('[role=status]').textContent").startswith("Nothing matches")
    heads = (
        "() => [...document.querySelectorAll('#judged h2, #pending h2')].filter(each => each.checkVisibility()).length"
    )
    assert opened.run(heads) == 0
    counts = opened.run("""() => Object.fromEntries([...document.querySelectorAll('[data-field]')].map(each =>
        [each.dataset.field + ' ' + each.dataset.value, Number(each.querySelector('small').textContent)]))""")
    practice = [claim for claim in CLAIMS.values() if claim.chapter.startswith("practice/")]
    assert counts["verdict "] == len(practice) and counts["verdict holds"] == 0 and counts["part "] == len(holding)
    opened.tab.locator(".bn-clear").click()
    assert len(opened.run(SHOWN)) == len(CLAIMS) and opened.run(heads) == 2
    assert opened.run("() => document.querySelector('.bn-clear').hidden && location.search === ''")
    assert opened.run("() => document.activeElement.matches('.bn-filters button')")


def test_tiles_are_one_tab_stop_behind_the_filters(visit):
    opened = visit(LEDGER, motion="reduce")
    at = "() => [...document.querySelectorAll('.bn-tiles a')].indexOf(document.activeElement)"
    opened.run("() => [...document.querySelectorAll('.bn-filters button')].filter(each => !each.hidden).at(-1).focus()")
    opened.tab.keyboard.press("Tab")
    assert opened.run(at) == 0
    columns = opened.run("""() => { const tiles = [...document.querySelectorAll('.bn-tiles a')];
        return tiles.filter(each => each.offsetTop === tiles[0].offsetTop).length; }""")
    reached = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowLeft", "End", "ArrowRight"):
        opened.tab.keyboard.press(key)
        reached.append(opened.run(at))
    last = len(CLAIMS) - 1
    assert reached == [1, 1 + columns, columns, 0, 0, last, last]
    opened.tab.keyboard.press("Tab")
    assert opened.run(at) == -1
    opened.tab.keyboard.press("Shift+Tab")
    assert opened.run(at) == last, "where it was left"


def test_the_first_screen_of_a_phone_shows_a_verdict(visit):
    opened = visit(LEDGER, width=390, height=844)
    assert opened.run("() => document.querySelector('#judged .bn-verdict').getBoundingClientRect().bottom") < 844
    opened.tab.locator(".bn-filters summary").click()
    opened.tab.locator('.bn-filters button[data-value="partly"]').click()
    assert opened.run("() => document.querySelectorAll('.bn-tiles a:not([data-off])').length") < len(CLAIMS)


@pytest.mark.parametrize("place", ["C03", "claim-c03", "C01", "claim-c01"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_address_opens_its_row(visit, place, scripts):
    """Without scripts the browser opens what lies around a place: tiles and links lead to one inside the card."""
    opened = visit(f"{LEDGER}{'?verdict=holds' if scripts else ''}#{place}", scripts=scripts, motion="reduce")
    row = place.removeprefix("claim-").upper()
    opened.tab.wait_for_function(
        """row => { const box = document.getElementById(row).getBoundingClientRect();
        return box.height && box.bottom > 0 && box.top < innerHeight; }""",
        arg=row,
    )
    if row in RECORDS and (scripts or place != row):
        assert opened.run("row => document.getElementById(row).open", row)


def test_a_tile_leads_to_its_row_again_and_again(visit):
    opened = visit(LEDGER, motion="reduce")
    for _ in range(2):
        opened.tab.locator('.bn-tiles a[href="#claim-c04"]').click()
        assert opened.run("() => document.getElementById('C04').open")
        opened.run("() => { document.getElementById('C04').open = false; scrollTo(0, 0); }")


def test_without_scripts_every_claim_is_there_and_no_filter(visit):
    opened = visit(LEDGER, scripts=False)
    assert opened.run("() => document.querySelectorAll('[data-verdict]:not([hidden])').length") == len(CLAIMS)
    assert not opened.run("() => document.querySelector('.bn-filters').checkVisibility()")


def test_a_verdict_is_cited_with_its_address_and_copied(visit):
    opened = visit(LEDGER)
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.tab.locator("#C03 > summary").click()
    opened.tab.locator("#C03 .bn-cite summary").click()
    opened.tab.locator("#C03 .bn-cite button").click()
    opened.tab.wait_for_function("() => document.querySelector('#C03 .bn-cite button').textContent === 'Copied'")
    copied = opened.run("() => navigator.clipboard.readText()")
    assert "version 0." in copied and "@misc{bn-measured-C03," in copied
    assert "as of 20" in copied
    assert "url" not in copied or "/chapters/evidence/ledger.html#claim-c03" in copied, "an address in full, or none"
    assert f"verdict: {RECORDS['C03'][1]['verdict']}" in copied


def test_a_dispute_finds_how(visit):
    opened = visit(LEDGER)
    opened.tab.locator("#C03 > summary").click()
    opened.tab.locator("#C03 .bn-dispute").click()
    opened.tab.wait_for_url("**/reference/numbers.html#dispute-a-verdict")
    assert opened.run("() => document.querySelector('#dispute-a-verdict, [id=dispute-a-verdict]') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_filtered(visit, scheme):
    opened = visit(f"{LEDGER}?part=algorithm#C03", scheme=scheme, motion="reduce")
    assert not violations(opened, ["article"])


def test_no_text_of_a_strip_is_smaller_than_eleven_pixels_on_a_phone(visit):
    opened = visit(f"{LEDGER}#C03", width=390, height=844)
    sizes = opened.run("""() => [...document.querySelectorAll('#C03 .bn-strip')].map(each =>
        11 * each.getBoundingClientRect().width / each.viewBox.baseVal.width)""")
    assert sizes and min(sizes) >= 11


def test_the_site_holds_no_source_for_a_page():
    """Links of cards are written towards notebooks and manuscripts, and lead to pages here."""
    assert ".ipynb#" not in (HTML / LEDGER).read_text("utf8") and ".md#" not in (HTML / LEDGER).read_text("utf8")
