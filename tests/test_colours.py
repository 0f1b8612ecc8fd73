"""The colours that mean something: words can be read on the page and on their own ground, in both themes."""

import itertools
import re
from pathlib import Path

import pytest

from bnutils import plots

SHEET = Path(__file__).resolve().parents[1] / "press" / "static" / "colour.css"
LEAST = 5.5
VERDICTS = ("holds", "partly", "fails", "undecided", "pending")
WORDS = ("with", "without", "third", "fourth", "fifth", "sixth")
PAGE = {"light": "#ffffff", "dark": None}  # the theme's own white; the dark page stands in the sheet


def variables(theme: str) -> dict[str, str]:
    """Every colour that the sheet gives in a theme; the later rule wins, as in a browser."""
    found = {"--pst-color-background": PAGE[theme]}
    for selectors, rules in re.findall(r"^([^@{}\n][^{}]*)\{([^{}]*)\}", strip(SHEET.read_text("utf8")), re.M):
        names = re.findall(r'data-theme(?:="(\w+)")?', selectors)
        if not names or theme in names or "" in names:
            found |= dict(re.findall(r"(--[\w-]+):\s*(#[0-9a-f]{6}\b)", rules))
    return found


def strip(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.S)


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == 1
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # the grey that just passes AA
    assert contrast("#d55e00", "#ffffff") < 4, "the orange of the marks is too pale for words, hence the inks"


@pytest.mark.parametrize("theme", PAGE)
def test_every_word_can_be_read(theme):
    colour = variables(theme)
    page, ground = colour["--pst-color-background"], colour["--bn-ground"]
    pairs = [(f"--bn-{word}-ink", place) for word in WORDS for place in (page, ground)]
    pairs += [
        ("--bn-code", ground),
        ("--bn-quiet", page),
        ("--bn-quiet", ground),
        ("--pst-color-link", page),
        ("--pst-color-link", ground),
    ]
    for verdict in VERDICTS:
        pairs += [(f"--bn-{verdict}", page), (f"--bn-{verdict}", colour[f"--bn-{verdict}-ground"])]
    faint = [f"{name} {colour[name]} on {place}" for name, place in pairs if contrast(colour[name], place) < LEAST]
    assert not faint, f"contrast below {LEAST}: " + ", ".join(faint)


@pytest.mark.parametrize("theme", PAGE)
def test_no_two_verdicts_look_alike(theme):
    """Glyph and word tell them apart; their grounds help, so no two are the same."""
    grounds = [variables(theme)[f"--bn-{verdict}-ground"] for verdict in VERDICTS]
    assert all(one != other for one, other in itertools.combinations(grounds, 2))


def test_a_colour_with_a_meaning_stands_in_one_place():
    """The other sheets use the variables; a number of their own would miss one of the themes."""
    typed = re.compile(r"#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(", re.I)
    for sheet in sorted(SHEET.parent.rglob("*.css")):
        if sheet != SHEET and sheet.name != "print.css":  # paper is white in both themes
            found = [line for line in strip(sheet.read_text("utf8")).splitlines() if typed.search(line)]
            assert not found, f"{sheet.name}: {found[0].strip()[:90]}; take a variable of colour.css"


def test_marks_are_those_of_the_figures():
    assert tuple(plots.WORDS.values()) == WORDS
    assert [variables("light")[f"--bn-{word}"] for word in WORDS] == list(plots.PALETTE)
