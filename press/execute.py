"""Run chapters: one kernel each, side by side; a chapter that fails stops alone."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from press import kernel_settings, notebook
from press.manuscript import Page

CELL_SECONDS = 60
ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")


def run(
    house: Path, pages: list[Page], finished: Callable[[Page, NotebookNode], None], jobs: int | None = None
) -> dict[str, str]:
    """Execute chapters in parallel. After Ctrl-C no kernel is left, and what was finished stays.

    Parameters
    ----------
    house : Path          the root of the book
    pages : list of Page  chapters to run
    finished : callable   given each page that ran through and its executed notebook, as soon as it has
    jobs : int            kernels at a time; by default one per processor

    Returns
    -------
    failed : dict         page name -> report: cell, its source, the exception
    """
    columns = [
        TextColumn("{task.description:32}"),
        BarColumn(24),
        TextColumn("cell {task.completed}/{task.total}"),
        TimeElapsedColumn(),
    ]
    loop = asyncio.new_event_loop()  # off the main thread, where nbclient would take Ctrl-C for itself
    worker = threading.Thread(target=loop.run_forever, daemon=True)
    worker.start()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty,
        Progress(*columns, console=Console(stderr=True, highlight=False)) as progress,
    ):
        job = _run_all(house, pages, finished, jobs or os.cpu_count(), empty, progress)
        everything = asyncio.run_coroutine_threadsafe(job, loop)
        heard = signal.getsignal(signal.SIGINT)
        if heard is signal.default_int_handler:  # not in the background, where Ctrl-C is not meant for the press
            signal.signal(signal.SIGINT, lambda *_: everything.cancel())  # a second one finds the press leaving
        try:
            return everything.result()
        except CancelledError:
            raise KeyboardInterrupt from None
        finally:
            asyncio.run_coroutine_threadsafe(_settle(), loop).result()
            signal.signal(signal.SIGINT, heard)
            loop.call_soon_threadsafe(loop.stop)
            worker.join()


async def _settle():
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


async def _run_all(house, pages, finished, jobs, empty, progress):
    slots, failed = asyncio.Semaphore(jobs), {}

    async def one(page):
        async with slots:
            task = progress.add_task(page.name, total=len(page.code))
            try:
                finished(page, await _execute(house, page, empty, lambda: progress.advance(task)))
            except ChapterFailed as failure:
                failed[page.name] = str(failure)
                progress.update(task, description=f"{page.name} FAILED")

    await asyncio.gather(*map(one, pages))
    return failed


class ChapterFailed(Exception):
    """A report for the author: chapter, cell, source, exception."""


async def _execute(house, page, empty, advance):
    ran = nbformat.v4.new_notebook(
        cells=[nbformat.from_dict(dict(cell)) for cell in page.cells], metadata=notebook.LANGUAGE, nbformat_minor=5
    )
    reached = [None]

    def start(cell, cell_index):
        reached[0] = (cell_index + 1, cell)

    def complete(cell, **_):
        if cell.cell_type == "code":
            advance()

    # the kernel of this Python, whatever kernels the user has; started here, so that it is stopped in every case
    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), kernel_name="python3")
    client = NotebookClient(
        ran,
        km=kernel,
        timeout=CELL_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        on_cell_start=start,
        on_cell_complete=complete,
    )
    path = os.pathsep.join(filter(None, [str(house), os.environ.get("PYTHONPATH")]))
    environment = dict(os.environ) | kernel_settings(empty) | {"PYTHONPATH": path}
    try:
        page.product.parent.mkdir(parents=True, exist_ok=True)
        # what a cell writes comes back by message; the kernel's own stderr holds only start-up chatter
        await kernel.start_kernel(
            env=environment,
            cwd=str(page.product.parent),
            stderr=subprocess.DEVNULL,
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
        )
        await client.async_start_new_kernel_client()
        await client.async_execute()
    except CellExecutionError as error:
        trace = error.traceback.split("-" * 70)[-1].lstrip("-")
        raise ChapterFailed(report(page, reached[0], f"{error.ename}: {error.evalue}", trace)) from None
    except CellTimeoutError:
        raise ChapterFailed(report(page, reached[0], f"the cell ran longer than {CELL_SECONDS} s")) from None
    except DeadKernelError:
        raise ChapterFailed(report(page, reached[0], "the kernel died (out of memory?)")) from None
    except (RuntimeError, OSError) as error:  # of a kernel that cannot start
        raise ChapterFailed(report(page, reached[0], str(error))) from None
    finally:
        if client.kc:
            client.kc.stop_channels()
        if kernel.has_kernel:
            await kernel.shutdown_kernel(now=True)
    for number, cell in enumerate(ran.cells, 1):
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if fault := unprintable(house, output):
                raise ChapterFailed(report(page, (number, cell), fault))
    return ran


def unprintable(house: Path, output: dict) -> str | None:
    """What in a cell's output must not be printed: it differs between runs or machines, or asks another host."""
    if output.get("name") == "stderr":
        return f"the cell wrote to stderr; silence or mend it:\n{output['text']}"
    text = str(output)
    for place in {str(house), str(Path.home()), sys.prefix, tempfile.gettempdir() + os.sep, socket.gethostname()}:
        if len(place) > 5 and place in text:
            return f"the output names this machine ({place}); print something else"
    if found := ADDRESS.search(text):
        return f"the output holds an object's address ({found[0]}); it differs in every run"
    if outside := notebook.other_hosts(output):
        return f"the output leaves the book ({outside[0]}); only a link may lead to another host"
    return None


def report(page: Page, reached: tuple | None, what: str, trace: str = "") -> str:
    number, cell = reached or (0, {"source": "(before the first cell)"})
    source = "\n".join(f"    {line}" for line in cell["source"].splitlines())
    line = page.lines[number - 1] if number else 1
    return f"manuscript/{page.name}.md:{line}, cell {number}:\n\n{source}\n\n{what}" + (f"\n{trace}" if trace else "")
