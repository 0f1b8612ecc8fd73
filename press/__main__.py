"""`python -m press COMMAND`, run from the root of the book; the Makefile calls it."""

import subprocess
import sys
from pathlib import Path

import click

from press import assignment, bench, browser, edit, execute, manuscript, new, notebook, pdf, rules


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
    pages = manuscript.read_pages(house)
    unknown = set(names) - {page.name for page in pages}
    if unknown:
        raise click.ClickException(
            f"no manuscript named {', '.join(sorted(unknown))}; there are {', '.join(page.name for page in pages)}"
        )
    stop_at(
        [
            fault
            for page in pages
            if not names or page.name in names
            for fault in (*manuscript.prose_faults(page), *notebook.unasserted(page))
        ]
    )
    running = [page for page in pages if page.runs]
    current = notebook.inputs(house, running)
    notebooks, due = {}, []
    for page in running:
        try:
            old = notebook.read(page)
        except ValueError:
            old = None
        why = notebook.out_of_date(page, old, current[page.name]) or (old and next(notebook.tampered(page, old), None))
        if (why or everything) and (not names or page.name in names):
            click.echo(f"{page.name}: {why or 'asked for'}")
            due.append(page)
        if old is not None:
            notebooks[page.name] = old
    done, failed = execute.run(house, due, jobs) if due else ({}, {})
    for name, report in failed.items():
        click.echo(f"\n{name} FAILED; its notebook stays as it was.\n{report}", err=True)
    left = {
        page.name for page in running if notebook.out_of_date(page, notebooks.get(page.name), current[page.name])
    } - set(done)
    changed = print_pages(house, pages, notebooks | done, current, skip=left)
    click.echo(
        f"{len(done)} run, {len(failed)} failed, {len(changed)} pages changed"
        + "".join(f"\n  {name}" for name in changed)
    )
    sys.exit(bool(failed))


def print_pages(house, pages, notebooks, current, skip):
    """Write every page that is not in `skip`; returns the names of those whose bytes changed."""
    try:
        numbers, judged = notebook.evidence(pages, notebooks)
        numbers |= manuscript.records(house)
    except LookupError as error:
        stop_at([str(error)])
    texts, missing = {}, []
    for page in pages:
        if page.name not in skip:
            try:
                texts[page.product] = notebook.typeset(
                    page, numbers, judged, notebooks.get(page.name), current.get(page.name)
                )
            except LookupError as error:
                missing.append(str(error))
    changed = [str(product.relative_to(house)) for product, text in texts.items() if notebook.write(product, text)]
    stop_at(missing)
    return changed


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
        "its place in the contents is in _toc.yml, its link on the landing page in manuscript/index.md"
    )


@press.command()
@click.pass_obj
def check(house):
    """Compare what is printed with the manuscript, the digests and the rules; runs nothing."""
    pages = manuscript.read_pages(house)
    stop_at([*notebook.faults(house, pages), *(fault for page in pages for fault in rules.faults(page))])
    click.echo(f"{len(pages)} pages are as the press printed them")


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
    """Write the notebooks without their solutions, and the grader, into OUT."""
    try:
        table = assignment.write(house, out)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    tasks = [task for chapter in table.values() for task in chapter]
    checked = sum(bool(task["checks"]) for task in tasks)
    click.echo(
        f"{out}: {len(table)} notebooks without solutions, {checked} exercises with a checker, {len(tasks) - checked} to be read\n"
        f"grade what comes back: python {out / assignment.GRADER.name} NOTEBOOK ..."
    )


@press.command("bench")
@click.pass_obj
def write_records(house):
    """Measure what the book quotes of this machine, into records/."""
    bench.write(house)
    click.echo(
        "records/pages.json and records/convolution.json written; `make chapters` takes the numbers into the text"
    )


def stop_at(faults):
    if faults:
        click.echo("\n".join(faults), err=True)
        sys.exit(1)


if __name__ == "__main__":
    press()
