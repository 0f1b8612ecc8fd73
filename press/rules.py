"""The form every page keeps; each rule yields (line, what is wrong; cure), and `faults` makes messages of them."""

import ast
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from press import contents, predict, shape
from press.kinds import TAGS, calls, drawings, filled, keeping, names_kept, proof, sentence
from press.manuscript import Page, parse_yaml, read_prose, read_text, where

CODE_WIDTH, CODE_LINES = 92, 48  # columns of a page, lines of a screen
SECTIONS = ("Honest limits", "Exercises", "Takeaways", "Self-check", "Run log", "Where to read on")
EXERCISES, OPTIONS, RIGHT, WORDS_OF_A_REASON = 3, 4, 2, 5
TABS = ["tab-numpy"], ["tab-pytorch"]
LESSON_LINES, PROGRAM_LINES = 16, 32  # of a lesson cell, blank ones aside; of the one program that is the lesson whole
SENTENCE = 80  # characters of a bar's sentence
ORDER = ("Exercises", "Takeaways", "Self-check", "Run log", "Where to read on")

EXERCISE = re.compile(r"^(?:`{3,}|:{3,})\{exercise(?:-start)?\} *(.*)\n((?: *:[\w-]+:.*\n)*)", re.M)
SOLUTION = re.compile(r"^(`{3,}|:{3,})\{solution-start\} *(\S+)\n((?: *:[\w-]+:.*\n)*)", re.M)
OPTION = re.compile(r'<details class="option"><summary>(.*)</summary>\n\n((?:(?!<details)[^\0])*?)\n\n</details>')
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]\[]*)\]\((?P<target>[^)\s]*)")
ROLE = re.compile(r"\{(cite:[tp]|ref|eq|numref|prf:ref|term)\}`(?:[^`<]*<)?([^`>]+)>?`")
GLOSSARY = re.compile(r"^(`{3,})\{glossary\}.*?\n(.*?)^\1", re.M | re.S)
FENCED = re.compile(r"^((`{3,}(?=\{|\w*$)|:{3,}(?=\{))(?:\{([\w:-]+)\})?.*\n)((?:.*\n)*?)(\2 *)$", re.M)
TICKED = re.compile(r"^`{3,}\{[\w:-]+\}.*`")
VERBATIM = {None, "code", "code-cell", "code-block", "math", "raw", "eval-rst"}
LABEL = re.compile(r"^\(([^)\n]+)\)=$|^ *:(?:label|name): *(\S+)$|^\$\$ *\(([^)\n]+)\)$", re.M)

Complaints = Iterator[tuple[int, str]]  # line, what is wrong; cure
Code = tuple[int, NotebookNode, ast.Module]  # line, cell, syntax tree


@dataclass(frozen=True)
class Around:
    """What the pages of a book refer to, read once for all of them."""

    contents: list[str]  # the files that _toc.yml names
    titles: dict[str, str]  # of the chapters that manuscript/contents.yml names
    products: set[str]  # the paths of all that is printed
    labels: set[str]
    sources: set[str]  # keys of the bibliography
    words: set[str]  # of the glossary


def faults(page: Page, around: Around | None = None) -> Iterator[str]:
    """Every fault of the form of a page, as "manuscript/part/name.md:LINE: what is wrong; cure"."""
    around = around or look_around(page.house)
    if around is None:
        return
    own = [*CHAPTER_RULES, *(() if page.name in shape.LIMITS["old"] else FORM_RULES)]
    found = [rule(page) for rule in own if page.runs] + [rule(page, around) for rule in BOOK_RULES]
    for complaints in found:
        for line, complaint in complaints:
            yield f"{where(page, line)}: {complaint}"


def look_around(house: Path) -> Around | None:
    """All that pages may refer to; None for pages without contents: no book whose form they could keep."""
    if not (house / "_toc.yml").exists():
        return None
    toc = parse_yaml(read_text(house, "_toc.yml"), "_toc.yml")
    claims = parse_yaml(read_text(house, "manuscript/claims.yml"), "manuscript/claims.yml")
    chapters = contents.find(house)
    texts = {file.relative_to(house): file.read_text("utf8") for file in sorted((house / "manuscript").rglob("*.md"))}
    bibliography = house / "references.bib"
    return Around(
        [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]],
        {chapter.name: chapter.title for chapter in chapters.chapters} if chapters else {},
        {product_of(name, text) for name, text in texts.items()},
        {"".join(found) for text in texts.values() for found in LABEL.findall(text)}
        | {f"claim-{claim['id'].lower()}" for claim in claims},  # the ledger writes these
        set(re.findall(r"^@\w+\{([^,]+),", bibliography.read_text("utf8"), re.M)) if bibliography.exists() else set(),
        {
            line.strip().lower()
            for text in texts.values()
            for block in GLOSSARY.findall(text)
            for line in block[1].split("\n")
            if line and not line.startswith((" ", ":"))
        },
    )


def product_of(source: Path, text: str) -> str:
    """The path of what a manuscript is printed as: one with code becomes a notebook."""
    name = source.relative_to("manuscript").with_suffix("").as_posix()
    if re.search(r"^```+\{code-cell\}", text, re.M):
        return f"chapters/{name}.ipynb"
    return f"{name}.md" if name == "index" else f"chapters/{name}.md"


# ------------------------------------------------------------------------------------------------ what a chapter owes


def sections_are_there(page: Page) -> Complaints:
    for section in SECTIONS:
        if f"\n## {section}\n" not in page.text:
            yield last_line(page), f"a chapter owes the section “{section}”; add `## {section}`"


def objectives_are_there(page: Page) -> Complaints:
    if not re.search(r"\n:class: objectives\n+- ", page.text):
        yield (
            title_line(page),
            "what the reader will be able to do is not said; add `:::{admonition} After this chapter you can` with "
            "`:class: objectives` and a list under the title",
        )


def question_is_there(page: Page) -> Complaints:
    if "\n**The question.** " not in page.text:
        yield title_line(page), "the chapter asks no question; begin a paragraph with `**The question.**`"


def takeaways_have_numbers(page: Page) -> Complaints:
    for line, item in items(page, "Takeaways"):
        if not re.search(r"\{n\}`|\d", item):
            yield line, "a takeaway without a number; give it one to remember, {n}`name:.2f`"


def options_have_reasons(page: Page) -> Complaints:
    options = {option.start(): option for option in OPTION.finditer(page.text)}
    for start in re.finditer('<details class="option">', page.text):
        if start.start() not in options:
            yield (
                line_at(page, start.start()),
                'an option of another form; write `<details class="option"><summary>…</summary>`, '
                "an empty line, the reason, an empty line, `</details>`",
            )
            return
    options = options.values()
    for option in options:
        if len(option[2].split()) < WORDS_OF_A_REASON:
            yield (
                line_at(page, option.start()),
                f"the option “{option[1]}” has no reason of {WORDS_OF_A_REASON} words; say why it is right or wrong",
            )
    right = sum(option[2].startswith("Right") for option in options)
    if "\n## Self-check\n" in page.text and (len(options) < OPTIONS or right < RIGHT):
        yield (
            section_line(page, "Self-check"),
            f"the self-check has {len(options)} options, {right} of them with a reason that begins with “Right”; "
            f"write {OPTIONS} or more, {RIGHT} of them right",
        )


# ------------------------------------------------------------------------------------------------ code


def code_fits_the_page(page: Page) -> Complaints:
    for line, cell, _ in code(page):
        for number, text in enumerate(cell.source.split("\n"), line):
            if len(text) > CODE_WIDTH:
                yield number, f"a line of code of {len(text)} columns; break it at {CODE_WIDTH}"


def code_fits_the_screen(page: Page) -> Complaints:
    for line, cell, _ in code(page):
        if (lines := cell.source.count("\n") + 1) > CODE_LINES:
            yield line, f"a cell of {lines} lines; split it, with text between, so that none has more than {CODE_LINES}"


def text_stands_between_code(page: Page) -> Complaints:
    at = {id(cell): line for line, cell, _ in code(page)}
    for first, second in zip(page.cells, page.cells[1:]):
        tags = first.metadata.get("tags"), second.metadata.get("tags")
        barred = tags[1] in (["setup"], ["evidence"])  # the sentence on its bar stands between
        if first.cell_type == second.cell_type == "code" and tags != TABS and not barred:
            yield at[id(second)], "a code cell right behind another; write between them what the reader is to see"


def figures_are_described(page: Page) -> Complaints:
    for line, _, tree in code(page):
        for call in calls(tree):
            if ast.unparse(call.func) in ("plots.show", "interactive.show"):
                alt = next((keyword.value for keyword in call.keywords if keyword.arg == "alt"), None)
                if alt is None or isinstance(alt, ast.Constant):
                    yield (
                        line + call.lineno - 1,
                        'an alt text that holds nothing from the data; write alt=f"axes, trend, one number {x:.2f}"',
                    )


# ------------------------------------------------------------------------------------------------ lesson and evidence


def tags_are_known(page: Page) -> Complaints:
    for line, cell, _ in code(page):
        tags = cell.metadata.get("tags", [])
        if unknown := [tag for tag in tags if tag not in TAGS]:
            yield line, f"no cell is tagged {unknown[0]}; choose among {', '.join(sorted(TAGS))}, or leave it untagged"
        elif len(tags) > 1 and "solution" not in tags:
            yield line, f"a cell tagged {' and '.join(tags)}; split it, so that each is one thing"


def lessons_are_short(page: Page) -> Complaints:
    """One cell a chapter may be longer: a program that is the lesson whole."""
    programs = []
    for line, cell, _ in lessons(page):
        if (length := filled(cell.source)) > PROGRAM_LINES:
            yield (
                line,
                f"a lesson cell of {length} lines; move plumbing to a setup cell, until {PROGRAM_LINES} are left",
            )
        elif length > LESSON_LINES:
            programs.append((line, length))
    for line, length in programs[1:]:
        yield (
            line,
            f"a second lesson cell of more than {LESSON_LINES} lines ({length}); split it, or move what is not the "
            "lesson to a cell tagged setup or evidence",
        )


def lessons_prove_nothing(page: Page) -> Complaints:
    for line, _, tree in lessons(page):
        for node in keeping(tree)[:1]:
            yield (
                line + node.lineno - 1,
                f"a lesson cell that holds evidence ({proof(node)}); move it to the next cell, `:tags: [evidence]`",
            )


def evidence_is_evidence(page: Page) -> Complaints:
    for line, _, tree in tagged(page, "evidence"):
        if not keeping(tree):
            yield line, "an evidence cell that asserts, keeps and judges nothing; do one of these, or tag it setup"
        for node in drawings(tree)[:1]:
            yield line + node.lineno - 1, "a figure behind the bar of evidence; draw it in a cell tagged hide-input"


def setup_is_setup(page: Page) -> Complaints:
    for line, _, tree in tagged(page, "setup"):
        for node in keeping(tree)[:1]:
            yield line + node.lineno - 1, f"a setup cell that holds evidence ({proof(node)}); tag its own cell evidence"
        for node in drawings(tree)[:1]:
            yield line + node.lineno - 1, "a figure behind the bar of a setup; draw it in a cell tagged hide-input"


def figures_draw(page: Page) -> Complaints:
    for line, _, tree in tagged(page, "hide-input"):
        if not drawings(tree):
            yield line, "a cell tagged hide-input that shows no figure; end it with plots.show, or tag it setup"
        for node in keeping(tree)[:1]:
            yield (
                line + node.lineno - 1,
                f"a figure's cell that holds evidence ({proof(node)}); give that a cell of its own",
            )


def bars_have_sentences(page: Page) -> Complaints:
    for line, cell, _ in [*tagged(page, "setup"), *tagged(page, "evidence")]:
        says = sentence(cell.source)
        if not says:
            yield line, "a folded cell without a sentence for its bar; begin it with a comment, `# deal the batches`"
        elif len(says) > SENTENCE:
            yield line, f"a sentence of {len(says)} characters on a bar; say it in {SENTENCE}"


def exercises_are_tagged(page: Page) -> Complaints:
    for line, cell, tree in code(page):
        known = {"exercise", "solution"} & set(cell.metadata.get("tags", []))
        if not known and (has_hole(tree) or section_of(page, line) == "Exercises"):
            yield line, "a cell of an exercise that is tagged as none; write `:tags: [exercise]`, or solution"


def predictions_can_be_made(page: Page) -> Complaints:
    """Question, options and end are there, and no number of the answer is quoted above."""
    texts = [None if cell.cell_type == "code" else cell.source for cell in page.cells]
    predictions, complaints = predict.read(texts, page.lines)
    yield from complaints
    trees = {line: tree for line, _, tree in code(page)}
    quoted = [
        (reference.line, reference.target)
        for text, line in zip(texts, page.lines)
        if text is not None
        for reference in read_prose(text, line)[1]
        if reference.role == "n" and "::" not in reference.target
    ]
    for prediction in predictions:
        kept = {name for place in prediction.cells for name in names_kept(trees[page.lines[place]])}
        for line, target in quoted:
            name = re.split(r"[|:]", target)[0]
            if line < prediction.line and name in kept:
                yield line, f"{name} is quoted above the prediction {prediction.label}, which it answers; move it below"


def titles_hold_no_backtick(page: Page) -> Complaints:
    """Markdown takes such a fence for text, and the next one for its end: the cell below is lost."""
    for number, line in enumerate(page.text.split("\n"), 1):
        if TICKED.match(line):
            yield number, "a backtick in the title of a directive, which hides the cells below it; leave it out"


def closing_sections_are_in_order(page: Page) -> Complaints:
    places = [(page.text.find(f"\n## {section}\n"), section) for section in ORDER]
    for (place, section), (after, next_section) in itertools.pairwise(places):
        if 0 <= after < place:
            yield (
                section_line(page, next_section),
                f"“{next_section}” stands before “{section}”; the order is {', '.join(ORDER)}",
            )


def run_log_folds(page: Page) -> Complaints:
    found = re.search(r"^## Run log\n(.*?)(?=^## |\Z)", page.text, re.M | re.S)
    if found and "<details" not in found[1]:
        yield (
            section_line(page, "Run log"),
            "the run log lies open; put its table between `<details><summary>What was tried</summary>`, an empty line, "
            "and an empty line, `</details>`",
        )


def lessons(page: Page) -> list[Code]:
    """The cells that teach: untagged ones and tabs, outside exercises."""
    return [each for each in code(page) if set(each[1].metadata.get("tags", [])) <= {"tab-numpy", "tab-pytorch"}]


def tagged(page: Page, tag: str) -> list[Code]:
    return [each for each in code(page) if tag in each[1].metadata.get("tags", [])]


# ------------------------------------------------------------------------------------------------ exercises


def exercises_are_enough(page: Page) -> Complaints:
    if "\n## Exercises\n" in page.text and (count := len(EXERCISE.findall(page.text))) < EXERCISES:
        yield section_line(page, "Exercises"), f"{count} exercises; a chapter has {EXERCISES} or more"


def exercises_are_labelled(page: Page) -> Complaints:
    for exercise in EXERCISE.finditer(page.text):
        if not label_of(exercise):
            yield (
                line_at(page, exercise.start()),
                f"the exercise “{exercise[1]}” has no label; write `:label: ex-…` under its first line",
            )


def exercises_are_solved(page: Page) -> Complaints:
    solved = {solution[2] for solution in SOLUTION.finditer(page.text)}
    for exercise in EXERCISE.finditer(page.text):
        label = label_of(exercise)
        if label and label not in solved:
            yield (
                line_at(page, exercise.start()),
                f"the exercise {label} has no solution; write one, from {{solution-start}} {label} to {{solution-end}}",
            )


def solutions_fold(page: Page) -> Complaints:
    for solution in SOLUTION.finditer(page.text):
        if ":class: dropdown" not in solution[3]:
            yield (
                line_at(page, solution.start()),
                f"the solution of {solution[2]} lies open on the page; write `:class: dropdown` under its first line",
            )
        for line, cell, _ in within(page, *span_of(page, solution)):
            if "solution" not in cell.metadata.get("tags", []):
                yield line, f"a cell of the solution of {solution[2]} lies open in Jupyter; tag it: `:tags: [solution]`"


def holes_are_checked(page: Page) -> Complaints:
    """A hole ends in a call of its checker, and the solution calls the same."""
    solutions = {solution[2]: solution for solution in SOLUTION.finditer(page.text)}
    checkers = checkers_of(page)
    for exercise in EXERCISE.finditer(page.text):
        solution = solutions.get(label_of(exercise))
        if solution is None:
            continue
        asked = within(page, exercise.end(), solution.start())
        called = [call for _, _, tree in asked for call in checks(tree, checkers)]
        for line, _, tree in asked:
            if has_hole(tree) and not checks(tree, checkers):
                yield (line, "a cell with a hole that no checker looks at; end it with a call, `check.name(name)`")
        answer = within(page, *span_of(page, solution))
        answered = [call for _, _, tree in answer for call in checks(tree, checkers)]
        for call in called:
            if call not in answered:
                yield (
                    line_at(page, solution.start()),
                    f"the solution of {solution[2]} is not checked; end its cell with `{call}(…)`, as above",
                )


def checkers_of(page: Page) -> set[str]:
    """Under which names the code of a page holds the exercises of bnutils."""
    names = set()
    for _, _, tree in page.program:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bnutils"):
                names |= {
                    alias.asname or alias.name
                    for alias in node.names
                    if "exercises" in (*node.module.split("."), alias.name)
                }
    return names


def checks(tree: ast.AST, checkers: set[str]) -> list[str]:
    """The checkers that a cell calls: what stands before the parenthesis."""
    return [ast.unparse(call.func) for call in calls(tree) if ast.unparse(call.func).split(".")[0] in checkers]


def has_hole(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.FunctionDef)
        and isinstance(node.body[-1], ast.Expr)
        and isinstance(node.body[-1].value, ast.Constant)
        and node.body[-1].value.value is ...
        for node in ast.walk(tree)
    )


# ------------------------------------------------------------------------------------------------ every page


def page_is_in_the_contents(page: Page, around: Around) -> Complaints:
    if (own := page.product.relative_to(page.house).with_suffix("").as_posix()) not in around.contents:
        yield title_line(page), f"the page is not in the contents; add `- file: {own}` to _toc.yml"


def plan_has_the_title(page: Page, around: Around) -> Complaints:
    if not page.runs or not around.titles:
        return
    title = re.search(r"^# (.*)", page.text, re.M)
    if title and around.titles.get(page.name) != title[1]:
        yield (
            title_line(page),
            f"manuscript/contents.yml has the title “{around.titles.get(page.name)}”, the page “{title[1]}”; "
            "write the same in both",
        )


def links_lead_somewhere(page: Page, around: Around) -> Complaints:
    here = page.product.parent.relative_to(page.house)
    for link in LINK.finditer(readable(page.text)):
        path = link["target"].partition("#")[0]
        if not path or re.match(r"[a-z]+:", path) or link["image"]:
            continue
        if os.path.normpath(here / path) not in around.products:
            yield (
                line_at(page, link.start()),
                f"the link to {path} leads nowhere; write the path from {here}/ to a .ipynb, or to a .md without code",
            )


def images_are_described(page: Page, _around: Around) -> Complaints:
    for link in LINK.finditer(readable(page.text)):
        if link["image"] and not link["text"].strip():
            yield (
                line_at(page, link.start()),
                f"the image {link['target']} has no alt text; say between [ and ] what it shows",
            )


def references_have_targets(page: Page, around: Around) -> Complaints:
    for role in ROLE.finditer(readable(page.text, spans=False)):
        kind, line = role[1], line_at(page, role.start())
        if kind.startswith("cite"):
            for key in map(str.strip, role[2].split(",")):
                if key not in around.sources:
                    yield line, f"nothing in references.bib has the key {key}; add the source there"
        elif kind == "term":
            if " ".join(role[2].split()).lower() not in around.words:
                yield line, f"the glossary does not explain “{role[2]}”; add it to manuscript/reference/glossary.md"
        elif role[2] not in around.labels:
            yield line, f"no page has the label {role[2]}; write `({role[2]})=` before its heading, or mend the name"


# ------------------------------------------------------------------------------------------------ places


def line_at(page: Page, position: int) -> int:
    return page.text.count("\n", 0, position) + 1


def last_line(page: Page) -> int:
    return page.text.rstrip("\n").count("\n") + 1


def title_line(page: Page) -> int:
    found = re.search(r"^# ", page.text, re.M)
    return line_at(page, found.start()) if found else 1


def section_line(page: Page, section: str) -> int:
    return line_at(page, page.text.index(f"\n## {section}\n") + 1)


def section_of(page: Page, line: int) -> str:
    """The heading of the second level that a line stands under, or ""."""
    above = "\n".join(page.text.split("\n")[: line - 1])
    return (re.findall(r"^## (.+)$", above, re.M) or [""])[-1]


def items(page: Page, section: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every item in the list of a section."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", page.text, re.M | re.S)
    for item in re.finditer(r"^- .*?(?=^- |\Z)", found[1], re.M | re.S) if found else ():
        yield line_at(page, found.start(1) + item.start()), item[0]


def code(page: Page) -> list[Code]:
    """(line, cell, syntax tree) of every code cell, in their order."""
    return [(line, cell, tree) for (line, _, tree), cell in zip(page.program, page.code)]


def within(page: Page, start: int, end: int) -> list[Code]:
    first, last = line_at(page, start), line_at(page, end)
    return [found for found in code(page) if first < found[0] < last]


def span_of(page: Page, solution: re.Match) -> tuple[int, int]:
    end = page.text.find("{solution-end}", solution.end())
    return solution.end(), end if end >= 0 else len(page.text)


def label_of(exercise: re.Match) -> str | None:
    found = re.search(r":label: *(\S+)", exercise[2])
    return found[1] if found else None


def readable(text: str, spans: bool = True) -> str:
    """The text with code blocks, and code spans and formulas if `spans`, blanked out; every position stays."""

    def blank(found):
        return re.sub(r"[^\n]", " ", found[0])

    def without_code(block):
        if block[3] in VERBATIM:
            return blank(block)
        return block[1] + FENCED.sub(without_code, block[4]) + block[5]

    text = FENCED.sub(without_code, text)
    text = re.sub(r"(?<!`)``(?!`).+?(?<!`)``(?!`)", blank, text)
    return re.sub(r"(?<!\})`[^`\n]*`|\$[^$\n]*\$", blank, text) if spans else text


CHAPTER_RULES = (
    sections_are_there,
    objectives_are_there,
    question_is_there,
    takeaways_have_numbers,
    options_have_reasons,
    code_fits_the_page,
    code_fits_the_screen,
    text_stands_between_code,
    figures_are_described,
    exercises_are_enough,
    exercises_are_labelled,
    exercises_are_solved,
    solutions_fold,
    holes_are_checked,
)
FORM_RULES = (  # of chapters in the new form
    tags_are_known,
    lessons_are_short,
    lessons_prove_nothing,
    evidence_is_evidence,
    setup_is_setup,
    figures_draw,
    bars_have_sentences,
    exercises_are_tagged,
    predictions_can_be_made,
    titles_hold_no_backtick,
    closing_sections_are_in_order,
    run_log_folds,
)
BOOK_RULES = (
    page_is_in_the_contents,
    plan_has_the_title,
    links_lead_somewhere,
    images_are_described,
    references_have_targets,
)
