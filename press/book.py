"""The one walk: read the book, plan what is due, carry it out. `press check` asserts that the plan is empty."""

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from os.path import relpath
from pathlib import Path

import grimp
import nbformat
from grimp.exceptions import SourceSyntaxError
from nbformat import NotebookNode

from bnutils import claims, evidence
from press import contents, execute, landing, ledger, manuscript, notebook, prose, rules, teaching
from press.manuscript import Page, Reference, Unreadable, where
from press.notebook import CURE

# what the press writes into a page without code: ```{ledger} and ```, ```{verdicts} C03 C05 and ```
BLOCK = re.compile(r"^(`{3,}|:{3,})\{(ledger|tally|verdicts|chapters|teaching)\} *(.*?) *\n\1 *$", re.M)
OF_VERDICTS = {"ledger", "tally", "verdicts"}
HIDDEN = {".ipynb_checkpoints"}


@dataclass(frozen=True)
class Book:
    """All that the press knows of a book before it does anything."""

    house: Path
    pages: list[Page]
    contents: contents.Contents | None  # None where no file tells the chapters
    claims: dict  # id -> Claim
    inputs: dict  # page name -> {file: digest}: everything outside it that its outputs depend on
    records: dict  # ("records/NAME", field) -> ("machine", value)
    notebooks: dict[str, NotebookNode]  # page name -> what is printed, or has just run
    broken: set[str]  # names of pages whose notebook cannot be read


@dataclass(frozen=True)
class Gathered:
    """What the cells of the book left for its prose."""

    numbers: dict  # (page name, number name) -> (kind, value)
    judged: dict  # claim id -> (page name, record)
    unfit: set[str]  # names of pages with a record that no run can have left
    faults: list[str]


@dataclass(frozen=True)
class Plan:
    """What is to be done until the book is as its manuscript says."""

    faults: dict[str, list[str]]  # page name, or "" for the book -> what only an author can mend
    due: dict[str, str] = field(default_factory=dict)  # page name -> why it must run
    writes: list[tuple[Page, str, str]] = field(default_factory=list)  # page, its new text, what is wrong with the old
    strays: list[Path] = field(default_factory=list)  # printed files without a manuscript

    def faults_of(self, names: set[str]) -> list[str]:
        """The faults of some pages and of the book as a whole."""
        return [fault for name, found in self.faults.items() if name in names | {""} for fault in found]

    def lines(self, house: Path) -> list[str]:
        """Each thing to be done as a line: file, place, cure."""
        lines = self.faults_of(set(self.faults))
        lines += [f"chapters/{name}.ipynb is out of date: {why}; {CURE}" for name, why in self.due.items()]
        lines += [f"{page.product.relative_to(house)}{differs}; {CURE}" for page, _, differs in self.writes]
        for stray in self.strays:
            source = stray.relative_to(house / "chapters").with_suffix(".md")
            lines.append(f"{stray.relative_to(house)} has no manuscript; delete it, or write manuscript/{source}")
        return lines


@dataclass(frozen=True)
class Outcome:
    """What carrying out a plan came to; `failed` and `unwritten` are page name -> report."""

    ran: list[str]
    failed: dict[str, str]
    changed: list[str]
    unwritten: dict[str, str]
    rest: Plan


# ------------------------------------------------------------------------------------------------ read


def read(house: Path) -> Book:
    """Read the book that stands in `house`.

    Raises
    ------
    Unreadable            naming everything that cannot be read, one line each
    """
    read_settings(house)
    found, lines = [], []
    for part in (manuscript.read_pages, contents.find, read_claims, read_records):
        try:
            found.append(part(house))
        except Unreadable as error:
            lines += error.lines
    if lines:
        raise Unreadable(*lines)
    pages, chapters, (rows, all_claims), records = found
    notebooks, broken = {}, set()
    for page in pages:
        try:
            if page.runs and (printed := notebook.read(page)):
                notebooks[page.name] = printed
        except ValueError:
            broken.add(page.name)
    return Book(house, pages, chapters, all_claims, inputs(house, pages, rows), records, notebooks, broken)


def read_settings(house: Path) -> None:
    """The settings of the builder are read here only to name the line where they cannot be."""
    for name in ("_toc.yml", "_config.yml"):
        if (house / name).exists():
            manuscript.parse_yaml(manuscript.read_text(house, name), name)


def read_claims(house: Path) -> tuple[list[dict], dict]:
    """The rows of manuscript/claims.yml, and the claims they make."""
    name = "manuscript/claims.yml"
    rows = manuscript.parse_yaml(manuscript.read_text(house, name), name)
    try:
        return rows, claims.load(house / name)
    except (ValueError, TypeError) as error:
        raise Unreadable(f"manuscript/{str(error).removeprefix('manuscript/')}") from None


def read_records(house: Path) -> dict:
    """Machine numbers: every field of every records/NAME.json that its digest covers."""
    found, lines = {}, []
    for file in sorted((house / "records").glob("*.json")):
        name = f"records/{file.name}"
        try:
            record = json.loads(manuscript.read_text(house, name))
        except json.JSONDecodeError as error:
            lines.append(f"{name}:{error.lineno}: this is not JSON ({error.msg}); run `make bench`")
            continue
        if not isinstance(record, dict) or record.pop("digest", None) != notebook.digest(record):
            lines.append(
                f"{name}: its digest does not fit, so `make bench` did not write this; run that, or take it back"
            )
            continue
        numbers = {field: value for field, value in record.items() if isinstance(value, (int, float))}
        found |= {(f"records/{file.stem}", field): ("machine", value) for field, value in numbers.items()}
    if lines:
        raise Unreadable(*lines)
    return found


def inputs(house: Path, pages: list[Page], rows: list[dict]) -> dict[str, dict]:
    """Per chapter, the digests of everything outside it that its outputs depend on.

    That is every module of bnutils it imports, directly or through another, and its own rows of claims.yml.
    """
    try:
        graph = grimp.build_graph("bnutils", cache_dir=None)
    except SourceSyntaxError as error:
        raise Unreadable(f"{relpath(error.filename, house)}:{error.lineno}: this is not Python; mend it") from None
    found = {}
    for page in pages:
        if page.runs:
            modules = set()
            for module in imported(page, graph.modules):
                modules |= {module, "bnutils"} | graph.find_upstream_modules(module)
            files = {file.relative_to(house).as_posix(): file for file in (module_file(house, m) for m in modules)}
            found[page.name] = {name: notebook.digest(file.read_bytes()) for name, file in sorted(files.items())}
            own = [row | {"overturned": None} for row in rows if row["chapter"] == page.name]  # that log no cell reads
            if own:
                found[page.name]["manuscript/claims.yml"] = notebook.digest(own)
    return found


def imported(page: Page, modules: set[str]) -> set[str]:
    """The modules of bnutils that the code of a chapter names."""
    names = set()
    for _, _, tree in page.program:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names & set(modules)


def module_file(house: Path, module: str) -> Path:
    path = house.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


# ------------------------------------------------------------------------------------------------ plan


def plan(book: Book) -> Plan:
    """What is to be done; nothing, where all is as the press would print it."""
    due = {}
    for page in book.pages:
        if page.name in book.broken:
            due[page.name] = "it is not a notebook any more"
        elif page.runs:
            printed = book.notebooks.get(page.name)
            if why := notebook.out_of_date(page, printed, book.inputs[page.name], book.claims):
                due[page.name] = why
    gathered = gather(book, due)
    faults, writes = {"": gathered.faults + ledger_faults(book)}, []
    for page in book.pages:
        found = list(prose.faults(page))
        if not found and page.name not in due:
            missing: list = []
            text = typeset(book, gathered, page, missing)
            found = [line for owner, line in missing if owner not in due]  # what is due may leave it yet
            if not missing and (differs := notebook.difference(page, text)):
                writes.append((page, text, differs))
        faults[page.name] = found
    products = {page.product for page in book.pages}
    printed = [file for ending in ("ipynb", "md") for file in (book.house / "chapters").rglob(f"*.{ending}")]
    strays = [file for file in sorted(printed) if file not in products and not HIDDEN & set(file.parts)]
    return Plan(faults, due, writes, strays)


def gather(book: Book, due: Iterable[str] = ()) -> Gathered:
    """The numbers and verdicts that the cells left; what stands twice is a fault, unless it is due to be run again."""
    numbers, judged, unfit, faults = dict(book.records), {}, set(), []
    for page in book.pages:
        for output in notebook.outputs_of(book.notebooks.get(page.name)):
            data = output.get("data", {})
            if data.keys() & {evidence.MIME, claims.MIME} and any(notebook.faults_of(output, book.claims)):
                unfit.add(page.name)
                continue
            if kept := data.get(evidence.MIME):
                for name, value in kept["values"].items():
                    if (page.name, name) in numbers and page.name not in due:
                        faults.append(f"manuscript/{page.name}.md: two cells keep a number named {name}; rename one")
                    numbers[page.name, name] = (kept["kind"], value)
            if verdict := data.get(claims.MIME):
                name, _ = judged.get(verdict["claim"], (None, None))
                if name and not {name, page.name} & set(due):
                    faults.append(f"{verdict['claim']} is judged twice, in {name} and {page.name}; keep one")
                judged[verdict["claim"]] = (page.name, verdict)
    return Gathered(numbers, judged, unfit, faults)


def form_faults(book: Book) -> list[str]:
    """Where a page lacks the form that all pages keep; it may be run and printed while it is being written."""
    around = rules.look_around(book.house)
    return [fault for page in book.pages for fault in rules.faults(page, around)]


def ledger_faults(book: Book) -> list[str]:
    found = [block[1:] for page in book.pages if not page.runs for block in BLOCK.findall(page.text)]
    blocks = found.count(("ledger", ""))
    if not book.claims or blocks == 1:
        return []
    return [
        f"manuscript/: expected the lines ```{{ledger}} and ``` once, in a page without code, got them {blocks} times; "
        "the claims of claims.yml stand there"
    ]


def typeset(book: Book, gathered: Gathered, page: Page, missing: list[tuple[str, str]]) -> str:
    """The text of the product of `page`; a reference that finds nothing stays, and goes with its owner to `missing`."""

    def write(reference: Reference) -> str:
        owner, shown, fault = value_of(book, gathered, page, reference)
        if fault:
            given = f"{{{reference.role}}}`{reference.target}`"
            missing.append((owner, f"{where(page, reference.line)}: {given} {fault}"))
            return given
        return shown

    text = notebook.typeset(page, write, book.notebooks.get(page.name), book.inputs.get(page.name))
    if page.runs:
        return text
    return BLOCK.sub(lambda block: written(book, gathered, page, missing, block), text)


def written(book: Book, gathered: Gathered, page: Page, missing: list[tuple[str, str]], block: re.Match) -> str:
    """What stands in the place of a block that the press writes; the block itself where nothing does."""
    kind, asked = block[2], block[3]
    if kind in OF_VERDICTS and asked != "example":
        missing += [(name, f"{where(page, 1)}: a record of {name} does not fit") for name in gathered.unfit]
    match kind, asked:
        case "ledger", "":
            return ledger.markdown(page, book.claims, gathered.judged)
        case "ledger", "example":
            return ledger.example()
        case "tally", "":
            return landing.tally(book.claims, gathered.judged)
        case "verdicts", ids if ids:
            unjudged = [claim for claim in ids.split() if claim not in gathered.judged]
            for claim in unjudged:
                owner = book.claims[claim].chapter if claim in book.claims else ""
                missing.append((owner, f"{where(page, 1)}: {{verdicts}} names {claim}, which has no verdict"))
            return block[0] if unjudged else landing.verdicts(ids.split(), book.claims, gathered.judged)
        case "chapters", "" if book.contents:
            return landing.chapters(page, book.contents, book.pages)
        case "teaching", "" if book.contents:
            return teaching.chapters(page, book.contents, book.pages)
    return block[0]


def value_of(book: Book, gathered: Gathered, page: Page, reference: Reference) -> tuple[str, str, str]:
    """What a reference says: the page it depends on, its text, and what is wrong with it, or ""."""
    if reference.role == "v":
        if reference.target in gathered.judged:
            name, record = gathered.judged[reference.target]
            return name, record["verdict"], ""
        owner = book.claims[reference.target].chapter if reference.target in book.claims else ""
        return owner, "", "refers to a claim without a verdict"
    path, _, rest = reference.target.rpartition("::")
    name, _, form = rest.partition(":")
    name, _, part = name.partition("|")
    owner = path or page.name
    if (owner, name) not in gathered.numbers:
        known = ", ".join(sorted(number for keeper, number in gathered.numbers if keeper == owner)) or "none"
        return owner, "", f"refers to a number that {owner} does not hold; it holds {known}"
    if not form:
        return owner, "", f"has no format; write {{n}}`{reference.target}:.2f`"
    kind, value = gathered.numbers[owner, name]
    try:
        shown = evidence.in_words(value, form, part)
    except ValueError as error:
        return owner, "", f"cannot be written: {error}"
    if kind in ("exact", "measured") and not reference.plain:
        place = relpath(f"chapters/{path}.ipynb", page.product.parent.relative_to(page.house)) if path else ""
        says = escape(evidence.in_full(kind, value))
        shown = f'<a class="bn-number" href="{place}#n-{name}" title="{says}">{shown}</a>'
    return owner, shown, ""


# ------------------------------------------------------------------------------------------------ carry out


def carry_out(book: Book, todo: Plan, due: list[Page], jobs: int | None = None) -> Outcome:
    """Run the chapters that are `due`, each printed as soon as it is finished; then print what is not as it should be.

    A chapter printed early may quote a number that another one is about to change; printing again at the end puts it
    right, here or, after an interruption, the next time.
    """
    changed, unwritten, ran = {}, {}, []

    def put(page: Page, text: str) -> None:
        name = str(page.product.relative_to(book.house))
        try:
            changed[name] = notebook.write(page.product, text) or changed.get(name, False)
            unwritten.pop(page.name, None)
        except OSError as error:
            unwritten[page.name] = f"{name} could not be written ({error.strerror}); see to that, then {CURE}"

    def finished(page: Page, executed: NotebookNode) -> None:
        ran.append(page.name)
        book.notebooks[page.name] = executed
        book.broken.discard(page.name)
        text = typeset(book, gather(book), page, [])
        book.notebooks[page.name] = nbformat.reads(text, as_version=4)  # with the digests, as it will be read again
        put(page, text)

    failed = execute.run(book.house, due, finished, jobs) if due else {}
    rest = plan(book) if due else todo
    for page, text, _ in rest.writes:
        put(page, text)
    return Outcome(ran, failed, [name for name, different in changed.items() if different], unwritten, rest)
