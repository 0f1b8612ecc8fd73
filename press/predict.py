"""Predictions: a question, two to four options to choose from, and the answer behind the choice.

In the manuscript a prediction reaches from {predict-start} to {predict-end}. The notebook has the question and the
options as text, and the answer folded; cells.py makes the page's component of that.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

FEWEST, MOST = 2, 4  # options
START = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{predict-start\} *(?P<question>.*)\n"
    r"(?P<settings>(?: *:[\w-]+:.*\n)*)(?P<body>(?:.*\n)*?)(?P=fence) *$",
    re.M,
)
END = re.compile(r"^(?P<fence>`{3,}|:{3,})\{predict-end\} *\n(?P=fence) *$", re.M)
OPTION = re.compile(r"^- +\S.*(?:\n +\S.*)*", re.M)
HEADING = re.compile(r"^#{1,6} ", re.M)
# what the notebook has, each on a line of its own
OPENS, CLOSES = '<div class="bn-predict"', "</div>"
ANSWER, ANSWERED = '<details class="bn-answer">', "</details><!-- answer -->"
ENDS = "<!-- predict-end -->"

Complaint = tuple[int, str]  # line, what is wrong; cure


class Prediction(NamedTuple):
    """One prediction of a page: the lines of its start and its end, its label, and the code cells of its answer."""

    line: int
    end: int
    label: str
    cells: tuple[int, ...]  # positions among all cells of the page


def read(texts: Sequence[str | None], lines: Sequence[int]) -> tuple[list[Prediction], list[Complaint]]:
    """The predictions of a page, and what is wrong with them.

    Parameters
    ----------
    texts : list        the source of each cell, None for code
    lines : list        where each begins
    """
    found, complaints, start, inside = [], [], None, []
    lost = 0  # ends that belong to a prediction of which something worse was said
    for place, (text, first) in enumerate(zip(texts, lines, strict=True)):
        if text is None:
            inside.append(place)
            continue
        for mark in _marks(text):
            line = first + text.count("\n", 0, mark.start())
            if mark.re is HEADING:
                if start:
                    complaints.append((line, "a heading in the answer of a prediction; write {predict-end} above it"))
                    start, lost = None, lost + 1
            elif mark.re is START:
                complaints += _faults(mark, line)
                label = label_of(mark)
                if start:
                    complaints.append((line, "a prediction within another; write {predict-end} above it"))
                    lost += 1
                elif label in {each.label for each in found}:
                    complaints.append((line, f"a second prediction named {label}; give it a label of its own"))
                start, inside = (line, label), []
            elif start:
                found.append(Prediction(start[0], line, start[1], tuple(inside)))
                start = None
            elif lost:
                lost -= 1
            else:
                complaints.append((line, "a prediction ends that never began; delete {predict-end}"))
    if start:
        complaints.append((start[0], "a prediction without an end; write ```{predict-end} and ``` behind its answer"))
    return found, complaints


def _marks(text: str) -> list[re.Match]:
    """Everything in a text that begins, ends or breaks a prediction, in order."""
    return sorted((mark for kind in (START, END, HEADING) for mark in kind.finditer(text)), key=re.Match.start)


def label_of(start: re.Match) -> str:
    named = re.search(r":label: *(\S+)", start["settings"])
    return named[1] if named else ""


def _faults(start: re.Match, line: int) -> Iterator[Complaint]:
    if not start["question"].strip():
        yield line, "a prediction that asks nothing; write its question behind {predict-start}"
    if not re.fullmatch(r"predict-[a-z0-9-]+", label_of(start)):
        yield line, "a prediction without a label; write `:label: predict-…` under its first line"
    if not FEWEST <= (count := len(OPTION.findall(start["body"]))) <= MOST:
        yield line, f"a prediction with {count} options; give it {FEWEST} to {MOST}, each a line that begins with `- `"


def write(texts: Sequence[str | None]) -> list[str | None]:
    """The same texts as the notebook has them: options in plain Markdown, answers folded, whatever shows them.

    Where a prediction is not as it should be, all stay as they are; `press check` says what is wrong.
    """
    if not any(START.search(text) for text in texts if text is not None) or read(texts, [1] * len(texts))[1]:
        return list(texts)
    written, inside, told = [], False, False
    for text in texts:
        if text is None:
            written.append(None)
            continue
        pieces, reached = [], 0
        for mark in [*(each for each in _marks(text) if each.re is not HEADING), None]:
            words = text[reached : mark.start() if mark else len(text)].strip("\n")
            if words and inside:
                summary = "The answer, continued" if told else "The answer"
                words, told = f"{ANSWER}<summary>{summary}</summary>\n\n{words}\n\n{ANSWERED}", True
            pieces += [words] if words.strip() else []
            if mark is None:
                break
            reached = mark.end()
            inside, told = mark.re is START, False
            pieces.append(_asked(mark) if inside else ENDS)
        written.append("\n\n".join(pieces))
    return written


def _asked(start: re.Match) -> str:
    return (
        f'{OPENS} id="{label_of(start)}">\n\n**Predict.** {start["question"].strip()}\n\n'
        f"{start['body'].strip()}\n\n{CLOSES}"
    )


def without_answers(text: str) -> str:
    """A text of the notebook without the prose of its answers, as it is handed out."""
    return re.sub(
        rf"^(?:{re.escape(ANSWER)}.*?^{re.escape(ANSWERED)}|{re.escape(ENDS)})\n*", "", text, flags=re.M | re.S
    )
