"""`python -m press COMMAND`, run from the root of the book; the Makefile calls it."""

import subprocess
import sys
from pathlib import Path

import click

from press import assignment, bench, book, browser, edit, new, pdf, shape
from press.manuscript import Unreadable


@click.group(help=__doc__)
@click.pass_context
def press(context):
    context.obj = house = Path.cwd()
    if not (house / "manuscript").is_dir():
        raise click.ClickException(f"no manuscript/ in {house}; run this from the root of the book")


@press.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="run chapters that are up to date too")
@click.option("--jobs", type=int, help="kernels at a time (default: one per processor)")
@click.pass_obj
def chapters(house, names, everything, jobs):
    """Run what is out of date, then print every page; NAMES (part/chapter) limit what is run."""
    read = book.read(house)
    pages = {page.name: page for page in read.pages}
    if unknown := set(names) - set(pages):
        raise click.ClickException(f"no manuscript named {', '.join(sorted(unknown))}; there are {', '.join(pages)}")
    plan = book.plan(read)
    asked = set(names or pages)
    stop_at(plan.faults_of(asked))
    due = [pages[name] for name in pages if name in asked and (name in plan.due or (everything and pages[name].runs))]
    for page in due:
        click.echo(f"{page.name}: {plan.due.get(page.name, 'asked for')}")
    outcome = book.carry_out(read, plan, due, jobs)
    for name, report in outcome.failed.items():
        click.echo(f"\n{name} FAILED; its notebook stays as it was.\n{report}", err=True)
    changed = "".join(f"\n  {name}" for name in outcome.changed)
    click.echo(f"{len(outcome.ran)} run, {len(outcome.failed)} failed, {len(outcome.changed)} pages changed{changed}")
    stop_at([*outcome.unwritten.values(), *outcome.rest.faults_of(asked)])
    sys.exit(bool(outcome.failed))


@press.command("new")
@click.argument("name")
@click.option("--title", help="by default the chapter's name in words")
@click.pass_obj
def write_new(house, name, title):
    """Write manuscript/NAME.md (NAME is part/chapter) with all that a chapter owes, and add it to the contents."""
    try:
        source = new.write(house, name, title)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"{source.relative_to(house)}: write in it, and look at it with `make live CHAPTER={name}`\n"
        "its place is in _toc.yml; what the landing page says of it, and to whom, in manuscript/contents.yml"
    )


@press.command()
@click.pass_obj
def check(house):
    """Compare what is printed with the manuscript, the digests and the rules; runs nothing."""
    read = book.read(house)
    stop_at([*book.plan(read).lines(house), *book.form_faults(read)])
    click.echo(f"{len(read.pages)} pages are as the press printed them")


@press.command("live")
@click.argument("chapter", required=False)
@click.option("--port", default=8000, help="0 takes a free one")
@click.pass_obj
def show_live(house, chapter, port):
    """Show the book, or CHAPTER (part/name), and reload it in the browser at every save, until Ctrl-C."""
    from press import live  # Sphinx and a web server: no other command needs them

    if chapter and not (house / "manuscript" / f"{chapter}.md").exists():
        raise click.ClickException(f"no manuscript/{chapter}.md; `press new {chapter}` writes one")
    try:
        live.run(house, chapter, port, click.echo)
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror}; give another: make live PORT=8001") from None


@press.command("edit", context_settings={"ignore_unknown_options": True})
@click.option("--app", default="jupyterlab", help="the module that serves: jupyterlab, or jupyter_server")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def edit_manuscript(house, app, options):
    """Open the manuscript as notebooks in JupyterLab; OPTIONS go to its server."""
    edit.run(house, *options, app=app)


@press.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def audit(options):
    """Look at the built pages in a real browser; OPTIONS go to pytest, for example -k search."""
    need_browser()
    sys.exit(subprocess.run([sys.executable, "-m", "pytest", "tests/browser", "-n", "2", *options]).returncode)


@press.command("shape")
@click.argument("pages", nargs=-1)
@click.pass_obj
def measure_shape(house, pages):
    """Measure what a reader's eye meets on built PAGES (chapters/part/name.html; all), against page_shape.json."""
    need_browser()
    site = house / "_build" / "html"
    with browser.chromium() as chromium, browser.serve(site) as address:
        found = shape.measure(chromium, address, pages or shape.chapters(site))
    click.echo(shape.table(found))
    stop_at([line for page, measures in found.items() for line in shape.over(page, measures)])


@press.command("pdf")
@click.pass_obj
def write_pdf(house):
    """Print the built book into _build/book.pdf."""
    need_browser()
    count = pdf.write(house, house / "_build" / "book.pdf")
    click.echo(f"_build/book.pdf: {count} pages")


def need_browser():
    try:
        browser.find()
    except browser.NoBrowser as error:
        raise click.ClickException(str(error)) from None


@press.command("assignment")
@click.argument("out", default="_build/assignment", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def write_assignment(house, out):
    """Write the notebooks without solutions, and the grader, into OUT; the right functions stay readable in bnutils."""
    try:
        table = assignment.write(house, out)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    tasks = [task for chapter in table.values() for task in chapter]
    checked = sum(bool(task["checks"]) for task in tasks)
    click.echo(
        f"{out}: {len(table)} notebooks without solutions, {checked} exercises with a checker, "
        f"{len(tasks) - checked} to be read\n"
        f"grade what comes back: python {out / assignment.GRADER.name} NOTEBOOK ...; --help says what a grade promises"
    )


@press.command("bench")
@click.argument(
    "records", nargs=-1, type=click.Choice([measure.__name__ for measure in (*bench.RECORDS, bench.device)])
)
@click.pass_obj
def write_records(house, records):
    """Measure what the book quotes of this machine, into records/: all of them but `device`, or those named."""
    try:
        bench.write(house, records)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    click.echo("records/ written; `make chapters` takes the numbers into the text")


def stop_at(faults):
    if faults:
        click.echo("\n".join(faults), err=True)
        sys.exit(1)


if __name__ == "__main__":
    try:
        press()
    except Unreadable as error:
        stop_at(error.lines)
