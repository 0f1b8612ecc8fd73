"""The form every page keeps; each rule yields (line, what is wrong; cure), and `faults` makes messages of them."""

import ast
import os
import re

import yaml

from press import manuscript

CODE_WIDTH, CODE_LINES = 92, 48  # columns of a page, lines of a screen
SECTIONS = ("Honest limits", "Exercises", "Takeaways", "Self-check", "Run log", "Where to read on")
EXERCISES, OPTIONS, RIGHT, WORDS_OF_A_REASON = 3, 4, 2, 5
TABS = ["tab-numpy"], ["tab-pytorch"]

EXERCISE = re.compile(r"^(?:`{3,}|:{3,})\{exercise(?:-start)?\} *(.*)\n((?: *:[\w-]+:.*\n)*)", re.M)
SOLUTION = re.compile(r"^(`{3,}|:{3,})\{solution-start\} *(\S+)\n((?: *:[\w-]+:.*\n)*)", re.M)
OPTION = re.compile(r'<details class="option"><summary>(.*)</summary>\n\n((?:(?!<details)[^\0])*?)\n\n</details>')
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]\[]*)\]\((?P<target>[^)\s]*)")
ROLE = re.compile(r"\{(cite:[tp]|ref|eq|numref|prf:ref|term)\}`(?:[^`<]*<)?([^`>]+)>?`")
LABEL = re.compile(r"^\(([^)\n]+)\)=$|^ *:(?:label|name): *(\S+)$|^\$\$ *\(([^)\n]+)\)$", re.M)


def faults(page):
    """Every fault of the form of a page, as "manuscript/part/name.md:LINE: what is wrong; cure"."""
    if not (page.house / "_toc.yml").exists():
        return  # pages, but no book whose form they could keep
    for rule in CHAPTER_RULES + PAGE_RULES if page.runs else PAGE_RULES:
        for line, complaint in rule(page):
            yield f"{manuscript.where(page, line)}: {complaint}"


# ------------------------------------------------------------------------------------------------ what a chapter owes


def sections_are_there(page):
    for section in SECTIONS:
        if f"\n## {section}\n" not in page.text:
            yield last_line(page), f"a chapter owes the section “{section}”; add `## {section}`"


def objectives_are_there(page):
    if not re.search(r"\n:class: objectives\n+- ", page.text):
        yield (
            title_line(page),
            "what the reader will be able to do is not said; add `:::{admonition} After this chapter you can` with "
            "`:class: objectives` and a list under the title",
        )


def question_is_there(page):
    if "\n**The question.** " not in page.text:
        yield title_line(page), "the chapter asks no question; begin a paragraph with `**The question.**`"


def takeaways_have_numbers(page):
    for line, item in items(page, "Takeaways"):
        if not re.search(r"\{n\}`|\d", item):
            yield line, "a takeaway without a number; give it one to remember, {n}`name:.2f`"


def options_have_reasons(page):
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


def code_fits_the_page(page):
    for line, cell in code(page):
        for number, text in enumerate(cell.source.split("\n"), line):
            if len(text) > CODE_WIDTH:
                yield number, f"a line of code of {len(text)} columns; break it at {CODE_WIDTH}"


def code_fits_the_screen(page):
    for line, cell in code(page):
        if (lines := cell.source.count("\n") + 1) > CODE_LINES:
            yield line, f"a cell of {lines} lines; split it, with text between, so that none has more than {CODE_LINES}"


def text_stands_between_code(page):
    at = dict(map(reversed, ((line, id(cell)) for line, cell in code(page))))
    for first, second in zip(page.cells, page.cells[1:]):
        tags = first.metadata.get("tags"), second.metadata.get("tags")
        if first.cell_type == second.cell_type == "code" and tags != TABS:
            yield at[id(second)], "a code cell right behind another; write between them what the reader is to see"


def figures_are_described(page):
    for line, cell in code(page):
        for call in calls(cell):
            if ast.unparse(call.func) in ("plots.show", "interactive.show"):
                alt = next((keyword.value for keyword in call.keywords if keyword.arg == "alt"), None)
                if alt is None or isinstance(alt, ast.Constant):
                    yield (
                        line + call.lineno - 1,
                        'an alt text that holds nothing from the data; write alt=f"axes, trend, one number {x:.2f}"',
                    )


# ------------------------------------------------------------------------------------------------ exercises


def exercises_are_enough(page):
    if "\n## Exercises\n" in page.text and (count := len(EXERCISE.findall(page.text))) < EXERCISES:
        yield section_line(page, "Exercises"), f"{count} exercises; a chapter has {EXERCISES} or more"


def exercises_are_labelled(page):
    for exercise in EXERCISE.finditer(page.text):
        if not label_of(exercise):
            yield (
                line_at(page, exercise.start()),
                f"the exercise “{exercise[1]}” has no label; write `:label: ex-…` under its first line",
            )


def exercises_are_solved(page):
    solved = {solution[2] for solution in SOLUTION.finditer(page.text)}
    for exercise in EXERCISE.finditer(page.text):
        label = label_of(exercise)
        if label and label not in solved:
            yield (
                line_at(page, exercise.start()),
                f"the exercise {label} has no solution; write one, from {{solution-start}} {label} to {{solution-end}}",
            )


def solutions_fold(page):
    for solution in SOLUTION.finditer(page.text):
        if ":class: dropdown" not in solution[3]:
            yield (
                line_at(page, solution.start()),
                f"the solution of {solution[2]} lies open on the page; write `:class: dropdown` under its first line",
            )
        for line, cell in within(page, *span_of(page, solution)):
            if "solution" not in cell.metadata.get("tags", []):
                yield line, f"a cell of the solution of {solution[2]} lies open in Jupyter; tag it: `:tags: [solution]`"


def holes_are_checked(page):
    """A hole ends in a call of its checker, and the solution calls the same."""
    solutions = {solution[2]: solution for solution in SOLUTION.finditer(page.text)}
    checkers = checkers_of(page)
    for exercise in EXERCISE.finditer(page.text):
        solution = solutions.get(label_of(exercise))
        if solution is None:
            continue
        asked = list(within(page, exercise.end(), solution.start()))
        called = [call for _, cell in asked for call in checks(cell, checkers)]
        for line, cell in asked:
            if has_hole(cell) and not checks(cell, checkers):
                yield (line, "a cell with a hole that no checker looks at; end it with a call, `check.name(name)`")
        answered = [call for _, cell in within(page, *span_of(page, solution)) for call in checks(cell, checkers)]
        for call in called:
            if call not in answered:
                yield (
                    line_at(page, solution.start()),
                    f"the solution of {solution[2]} is not checked; end its cell with `{call}(…)`, as above",
                )


def checkers_of(page):
    """Under which names the code of a page holds the exercises of bnutils."""
    names = set()
    for cell in page.code:
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bnutils"):
                names |= {
                    alias.asname or alias.name
                    for alias in node.names
                    if "exercises" in (*node.module.split("."), alias.name)
                }
    return names


def checks(cell, checkers):
    """The checkers that a cell calls: what stands before the parenthesis."""
    return [ast.unparse(call.func) for call in calls(cell) if ast.unparse(call.func).split(".")[0] in checkers]


def has_hole(cell):
    return any(
        isinstance(node, ast.FunctionDef)
        and isinstance(node.body[-1], ast.Expr)
        and isinstance(node.body[-1].value, ast.Constant)
        and node.body[-1].value.value is ...
        for node in ast.walk(tree(cell))
    )


# ------------------------------------------------------------------------------------------------ every page


def page_is_in_the_contents(page):
    toc = yaml.safe_load((page.house / "_toc.yml").read_text("utf8"))
    files = [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    if (own := page.product.relative_to(page.house).with_suffix("").as_posix()) not in files:
        yield title_line(page), f"the page is not in the contents; add `- file: {own}` to _toc.yml"


def landing_page_leads_here(page):
    link = f"](chapters/{page.name}.ipynb)"
    if link not in (page.house / "manuscript" / "index.md").read_text("utf8"):
        yield title_line(page), f"the landing page does not lead here; write `[…{link}` in manuscript/index.md"


def links_lead_somewhere(page):
    products = products_of(page.house)
    here = page.product.parent.relative_to(page.house)
    for link in LINK.finditer(readable(page.text)):
        path = link["target"].partition("#")[0]
        if not path or re.match(r"[a-z]+:", path) or link["image"]:
            continue
        if os.path.normpath(here / path) not in products:
            yield (
                line_at(page, link.start()),
                f"the link to {path} leads nowhere; write the path from {here}/ to a .ipynb, or to a .md without code",
            )


def images_are_described(page):
    for link in LINK.finditer(readable(page.text)):
        if link["image"] and not link["text"].strip():
            yield (
                line_at(page, link.start()),
                f"the image {link['target']} has no alt text; say between [ and ] what it shows",
            )


def references_have_targets(page):
    texts = [file.read_text("utf8") for file in (page.house / "manuscript").rglob("*.md")]
    labels = {"".join(found) for text in texts for found in LABEL.findall(text)}
    claims = yaml.safe_load((page.house / "manuscript" / "claims.yml").read_text("utf8"))
    labels |= {f"claim-{claim['id'].lower()}" for claim in claims}  # the ledger writes these
    bibliography = page.house / "references.bib"
    sources = (
        set(re.findall(r"^@\w+\{([^,]+),", bibliography.read_text("utf8"), re.M)) if bibliography.exists() else set()
    )
    words = {
        line.strip().lower()
        for text in texts
        for block in re.findall(r"^(`{3,})\{glossary\}.*?\n(.*?)^\1", text, re.M | re.S)
        for line in block[1].split("\n")
        if line and not line.startswith((" ", ":"))
    }
    for role in ROLE.finditer(readable(page.text, spans=False)):
        kind, line = role[1], line_at(page, role.start())
        if kind.startswith("cite"):
            for key in map(str.strip, role[2].split(",")):
                if key not in sources:
                    yield line, f"nothing in references.bib has the key {key}; add the source there"
        elif kind == "term":
            if " ".join(role[2].split()).lower() not in words:
                yield line, f"the glossary does not explain “{role[2]}”; add it to manuscript/reference/glossary.md"
        elif role[2] not in labels:
            yield line, f"no page has the label {role[2]}; write `({role[2]})=` before its heading, or mend the name"


# ------------------------------------------------------------------------------------------------ places


def line_at(page, position):
    return page.text.count("\n", 0, position) + 1


def last_line(page):
    return page.text.rstrip("\n").count("\n") + 1


def title_line(page):
    found = re.search(r"^# ", page.text, re.M)
    return line_at(page, found.start()) if found else 1


def section_line(page, section):
    return line_at(page, page.text.index(f"\n## {section}\n") + 1)


def items(page, section):
    """(line, text) of every item in the list of a section."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", page.text, re.M | re.S)
    for item in re.finditer(r"^- .*?(?=^- |\Z)", found[1], re.M | re.S) if found else ():
        yield line_at(page, found.start(1) + item.start()), item[0]


def code(page):
    """(line, cell) of every code cell, in their order."""
    position = 0
    for cell in page.code:
        position = page.text.index(cell.source, position)
        yield line_at(page, position), cell
        position += len(cell.source)


def within(page, start, end):
    first, last = line_at(page, start), line_at(page, end)
    return ((line, cell) for line, cell in code(page) if first < line < last)


def span_of(page, solution):
    end = page.text.find("{solution-end}", solution.end())
    return solution.end(), end if end >= 0 else len(page.text)


def label_of(exercise):
    found = re.search(r":label: *(\S+)", exercise[2])
    return found[1] if found else None


def products_of(house):
    """The paths of all products from the root of the house: a manuscript with code becomes a notebook."""
    found = {"index.md"}
    for source in (house / "manuscript").rglob("*.md"):
        name = source.relative_to(house / "manuscript").with_suffix("").as_posix()
        runs = re.search(r"^```+\{code-cell\}", source.read_text("utf8"), re.M)
        found.add(f"chapters/{name}.{'ipynb' if runs else 'md'}")
    return found


def readable(text, spans=True):
    """The text with code blocks, and code spans and formulas if `spans`, blanked out; every position stays."""

    def blank(found):
        return re.sub(r"[^\n]", " ", found[0])

    text = re.sub(
        r"^(`{3,})(?:\{(?:code|code-cell|code-block|math|raw|eval-rst)\}|\w*$).*?^\1 *$", blank, text, flags=re.M | re.S
    )
    text = re.sub(r"(?<!`)``(?!`).+?(?<!`)``(?!`)", blank, text)
    return re.sub(r"(?<!\})`[^`\n]*`|\$[^$\n]*\$", blank, text) if spans else text


def tree(cell):
    try:
        return ast.parse(cell.source)
    except SyntaxError:  # running it says so
        return ast.Module([], [])


def calls(cell):
    return [node for node in ast.walk(tree(cell)) if isinstance(node, ast.Call)]


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
    landing_page_leads_here,
)
PAGE_RULES = (page_is_in_the_contents, links_lead_somewhere, images_are_described, references_have_targets)
