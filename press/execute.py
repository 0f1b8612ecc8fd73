"""Run chapters: one kernel each, side by side; a chapter that fails stops alone."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from press import CPU, notebook

CELL_SECONDS = 60
ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")


def run(house, pages, jobs=None):
    """Execute chapters in parallel.

    Parameters
    ----------
    house : Path          the root of the book
    pages : list of Page  chapters to run
    jobs : int            kernels at a time; by default one per processor

    Returns
    -------
    done : dict           page name -> executed notebook, for the chapters that ran through
    failed : dict         page name -> report: cell, its source, the exception
    """
    console = Console(stderr=True, highlight=False)
    columns = [
        TextColumn("{task.description:32}"),
        BarColumn(24),
        TextColumn("cell {task.completed}/{task.total}"),
        TimeElapsedColumn(),
    ]
    # off the main thread, where nbclient would take Ctrl-C for itself and let the other chapters go on
    loop = asyncio.new_event_loop()
    worker = threading.Thread(target=loop.run_forever)
    worker.start()
    with Progress(*columns, console=console) as progress:
        everything = asyncio.run_coroutine_threadsafe(_run_all(house, pages, jobs or os.cpu_count(), progress), loop)
        try:
            return everything.result()
        finally:  # reached by Ctrl-C too: stop the kernels, then the thread
            everything.cancel()
            asyncio.run_coroutine_threadsafe(_settle(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            worker.join()


async def _settle():
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


async def _run_all(house, pages, jobs, progress):
    slots, done, failed = asyncio.Semaphore(jobs), {}, {}

    async def one(page):
        async with slots:
            task = progress.add_task(page.name, total=len(page.code))
            try:
                done[page.name] = await _execute(house, page, lambda: progress.advance(task))
            except ChapterFailed as failure:
                failed[page.name] = str(failure)
                progress.update(task, description=f"{page.name} FAILED")

    await asyncio.gather(*map(one, pages))
    return done, failed


class ChapterFailed(Exception):
    """A report for the author: chapter, cell, source, exception."""


async def _execute(house, page, advance):
    ran = nbformat.v4.new_notebook(
        cells=[nbformat.from_dict(dict(cell)) for cell in page.cells], metadata=notebook.LANGUAGE, nbformat_minor=5
    )
    page.product.parent.mkdir(parents=True, exist_ok=True)
    reached = [None]

    def start(cell, cell_index):
        reached[0] = (cell_index + 1, cell)

    def complete(cell, **_):
        if cell.cell_type == "code":
            advance()

    client = NotebookClient(
        ran,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(page.product.parent)}},
        on_cell_start=start,
        on_cell_complete=complete,
    )
    path = os.pathsep.join(filter(None, [str(house), os.environ.get("PYTHONPATH")]))
    try:
        # what a cell writes comes back by message; the kernel's own stderr holds only start-up chatter
        await client.async_execute(env=dict(os.environ) | CPU | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        raise ChapterFailed(
            report(page, reached[0], f"{error.ename}: {error.evalue}", error.traceback.split("-" * 70)[-1].lstrip("-"))
        ) from None
    except CellTimeoutError:
        raise ChapterFailed(report(page, reached[0], f"the cell ran longer than {CELL_SECONDS} s")) from None
    except DeadKernelError:
        raise ChapterFailed(report(page, reached[0], "the kernel died (out of memory?)")) from None
    for number, cell in enumerate(ran.cells, 1):
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if fault := unprintable(house, output):
                raise ChapterFailed(report(page, (number, cell), fault))
    return ran


def unprintable(house, output):
    """What in a cell's output must not be printed because it differs between runs or machines, or None."""
    if output.get("name") == "stderr":
        return f"the cell wrote to stderr; silence or mend it:\n{output['text']}"
    text = str(output)
    for place in {str(house), str(Path.home()), sys.prefix, tempfile.gettempdir() + os.sep, socket.gethostname()}:
        if len(place) > 5 and place in text:
            return f"the output names this machine ({place}); print something else"
    if found := ADDRESS.search(text):
        return f"the output holds an object's address ({found[0]}); it differs in every run"
    return None


def report(page, reached, what, trace=""):
    number, cell = reached or (0, {"source": "(before the first cell)"})
    source = "\n".join(f"    {line}" for line in cell["source"].splitlines())
    return f"manuscript/{page.name}.md, cell {number}:\n\n{source}\n\n{what}" + (f"\n{trace}" if trace else "")
