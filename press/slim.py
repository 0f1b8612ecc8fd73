"""What a page carries and no reader sees: left out, or skipped by the browser until it comes near the window."""

import html
import re

SYMBOL = re.compile(
    r'<span class="katex"><span class="katex-mathml"><math xmlns="[^"]*"><mrow><mi>([^<]+)</mi></mrow></math></span>'
    r'<span class="katex-html" aria-hidden="true"><span class="base"><span class="strut" style="[^"]*"></span>'
    r'(<span class="mord[^>]*>)([^<]+)</span></span></span></span>'
)
STRUT = re.compile(
    r'<span class="base"><span class="strut" style="height:([\d.]+)em;(?:vertical-align:-([\d.]+)em;)?"></span>'
)


def slim(text: str) -> str:
    """A page with fewer elements that looks and reads the same.

    A phone spends its time on elements: the TeX source inside a formula, a span a token of code that has the colour of
    the text anyway, nine elements for a single letter. Code and displayed formulas say how tall they will be, so that
    their inside can wait.
    """
    text = re.sub(r"<semantics>(.*?)<annotation [^>]*>[^<]*</annotation></semantics>", r"\1", text, flags=re.S)
    text = re.sub(r'<span class="(?:n|p|w)">([^<]*)</span>', r"\1", text)
    text = SYMBOL.sub(
        lambda letter: (
            f'<span class="katex">{letter[2]}{letter[3]}</span></span>' if letter[1] == letter[3] else letter[0]
        ),
        text,
    )
    text = re.sub(r'(?<=<div class="highlight"><pre>)(?!<span class="bn-code")(.*?)(?=</pre>)', code, text, flags=re.S)
    return re.sub(r'<span class="katex-display">(?=(.*?)</div>)', formula, text, flags=re.S)


def code(block: re.Match) -> str:
    """The code of a block, with the size that it will have."""
    lines = html.unescape(re.sub(r"<[^>]*>", "", block[1])).rstrip("\n").split("\n")
    return f'<span class="bn-code" style="--lines:{len(lines)};--columns:{max(map(len, lines))}">{block[1]}</span>'


def formula(block: re.Match) -> str:
    """Ems above and below the line, of the tallest part each."""
    parts = [(float(height), float(depth or 0)) for height, depth in STRUT.findall(block[1])]
    if not parts:
        return block[0]
    return f'<span class="katex-display" style="--em:{max(h - d for h, d in parts) + max(d for _, d in parts):.3f}">'
