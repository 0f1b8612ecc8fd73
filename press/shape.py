"""What a reader's eye meets on each built page, held against the limits of page_shape.json.

Measured is what is visible at 1440 x 900 before anything is opened: a closed bar counts as a bar, a figure behind a
prediction where its question stands. Sections of exercises, self-checks and run logs, and verdict cards, count neither
as code nor as output.

page_shape.json holds "all", the limits of every page; "pages", limits of single pages, each with its "why"; and "old",
the pages that are not rewritten yet, each with the reason: they keep neither these limits nor the rules of new pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LIMITS = json.loads(Path(__file__).with_name("page_shape.json").read_text("utf8"))
WIDTH, HEIGHT = 1440, 900
MEASURE = r"""screen => {
  const style = document.createElement('style');
  style.textContent = '*{content-visibility:visible!important}';  // far from the window too
  document.head.append(style);
  const article = document.querySelector('article.bd-article') || document.querySelector('main');
  const { top, height: total } = article.getBoundingClientRect();
  const box = each => each.getBoundingClientRect();
  const seen = each =>
    box(each).width > 1 && box(each).height > 1 && each.checkVisibility({ visibilityProperty: true });
  const sum = list => [...list].filter(seen).reduce((height, each) => height + box(each).height, 0);
  const outermost = wanted => [...article.querySelectorAll(wanted)].filter(each => !each.parentElement.closest(wanted));
  const sections = each => each ? [each, ...sections(each.parentElement.closest('section'))] : [];
  const aside = each => sections(each.closest('section')).some(section =>
    /exercise|self-check|run log/i.test(section.querySelector(':scope > h2')?.textContent || ''));
  const hiding = each => { while (each !== article && !seen(each)) each = each.parentElement; return each; };

  const code = outermost('.cell_input').filter(each => seen(each) && !aside(each));
  const outputs = outermost('.cell_output').filter(each => seen(each) && !aside(each));
  const drawn = outermost('figure, .bn-figure, .bn-interactive, svg[role=img], img')
    .filter(each => !each.closest('.bn-claim'));
  const figures = drawn.filter(each => seen(each) && box(each).height > 80);
  const behind = drawn.filter(each => !seen(each)).map(hiding).filter(each => each !== article);
  const spots = [...figures, ...behind].map(each => box(each).top - top).sort((a, b) => a - b);
  const stops = [0, ...spots, total];
  const gaps = stops.slice(1).map((stop, number) => (stop - stops[number]) / screen);
  const cells = code.map(each => each.textContent.split('\n').filter(line => line.trim()));
  const lines = cells.flat();
  const prose = [...article.querySelectorAll('section > p')]
    .filter(each => seen(each) && each.textContent.length > 300)
    .map(each => {
      const rows = Math.round(box(each).height / parseFloat(getComputedStyle(each).lineHeight));
      return each.textContent.length / Math.max(1, rows);
    })
    .sort((a, b) => a - b);
  const tenth = number => Math.round(10 * number) / 10, share = height => tenth(100 * height / total);
  const shown = figures.filter(each => each.closest('.cell_output') && !aside(each));
  const cards = article.querySelectorAll('.cell_output .bn-claim');
  return {
    screens: tenth(total / screen),
    code_share: share(sum(code)),
    output_share: share(Math.max(0, sum(outputs) - sum(shown) - sum(cards))),
    figures: spots.length,
    first_figure_screens: spots.length ? tenth(spots[0] / screen) : 99,
    longest_gap_screens: tenth(Math.max(...gaps)),
    open_code_lines: lines.length,
    longest_open_cell: Math.max(0, ...cells.map(each => each.length)),
    open_cells_over_16: cells.filter(each => each.length > 16).length,
    bookkeeping_lines_open: lines.filter(line => /^\s*(assert\b|exact\(|measured\()/.test(line)).length,
    number_blocks_open: [...article.querySelectorAll('pre.bn-numbers')].filter(seen).length,
    characters_a_line: Math.round(prose[prose.length >> 1] || 0),
  };
}"""


def chapters(site: Path) -> list[str]:
    """The pages of a built site that hold a code cell, as addresses relative to it."""
    found = sorted(site.glob("chapters/**/*.html"))
    return [file.relative_to(site).as_posix() for file in found if "cell_input" in file.read_text("utf8")]


def measure(browser: Browser, address: str, pages: Iterable[str]) -> dict[str, dict[str, float]]:
    """The measures of served pages: page -> name -> number.

    Parameters
    ----------
    browser         a running Chromium
    address         where the site is served, with a slash behind it
    pages           addresses relative to that
    """
    tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    found = {}
    for page in pages:
        tab.goto(address + page, wait_until="networkidle")
        tab.evaluate("() => document.fonts.ready.then(() => true)")
        found[page] = tab.evaluate(MEASURE, HEIGHT)
    tab.close()
    return found


def name_of(page: str) -> str:
    """part/chapter of chapters/part/chapter.html."""
    return page.removeprefix("chapters/").removesuffix(".html")


def over(page: str, measures: dict[str, float]) -> list[str]:
    """Each limit that a page breaks, as a line; none for a page that is not rewritten yet."""
    if name_of(page) in LIMITS["old"]:
        return []
    own = LIMITS["pages"].get(name_of(page), {})
    limits = LIMITS["all"] | {field: bound for field, bound in own.items() if field != "why"}
    return [
        f"{page}: {field} is {measures[field]}, the limit {bound}; mend the page, or give it its own limit, with a "
        "reason, in press/page_shape.json"
        for field, bound in limits.items()
        if measures[field] > bound
    ]


def table(found: dict[str, dict[str, float]]) -> str:
    """The measures of some pages, a line each."""
    heads = list(next(iter(found.values()), {}))
    lines = [f"{'page':34}" + "".join(f"{head.replace('_', ' ')[:11]:>12}" for head in heads)]
    lines += [f"{name_of(page)[:33]:34}" + "".join(f"{row[head]:>12}" for head in heads) for page, row in found.items()]
    return "\n".join(lines)
