"""The author's loop: at every save the press prints what is due, one resident Sphinx writes the pages that changed,
and the browser loads them anew. The finishing pass belongs to publishing and is left out.
"""

from __future__ import annotations

import asyncio
import gc
import html
import io
import logging
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

import uvicorn
import watchfiles
from sphinx_autobuild.middleware import JavascriptInjectorMiddleware
from sphinx_autobuild.server import RebuildServer
from sphinxcontrib import katex
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from press import book, manuscript, rules
from press.site import build

logging.getLogger("watchfiles").setLevel(logging.WARNING)
OUT = Path("_build", "live")
SETTINGS = ("_toc.yml", "_config.yml", "references.bib")  # read when Sphinx starts
RUN = ("manuscript", "bnutils", "records")  # what a chapter is printed from
WATCHED = (*RUN, "press/static")
SOURCES = {".md", ".yml", ".py", ".json", ".css", ".js", ".svg", ".png"}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
BOX = (
    '<pre role="alert" style="position: fixed; inset: auto 0 0 0; z-index: 9999; max-height: 40vh; margin: 0;'
    ' padding: 1em; overflow: auto; color: #fff; background: #8b0000; white-space: pre-wrap">{}</pre>'
)


def run(house: Path, chapter: str | None = None, port: int = 8000, say: Callable[[str], object] = print) -> None:
    """Show the book until Ctrl-C.

    Parameters
    ----------
    house : Path          the root of the book
    chapter : str         part/name: the one that runs when a module of bnutils changes; its address is shown
    port : int            of this machine alone
    say                   what to do with a line for the author

    Raises
    ------
    OSError               the port is taken
    """
    try:
        with socket.create_server(("127.0.0.1", port)) as listener, closing(Site(house)) as site:
            follow(site, listener, chapter, say)
    except KeyboardInterrupt:
        say("\nstopped")


def follow(site: Site, listener: socket.socket, chapter: str | None, say: Callable[[str], object]) -> None:
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    saves = changes(site.house)
    next(saves)  # it watches from here on
    report = attempt(site, [chapter] if chapter else [])
    with serving(site.house / OUT / "html", listener, address) as server:
        show(server, report, say, f"http://{address}/{f'chapters/{chapter}' if chapter else 'index'}.html")
        for changed in filter(None, saves):
            began = time.monotonic()
            names, settings = due(site.house, changed, chapter)
            if settings:
                site.forget()
            report = attempt(site, names)
            files = ", ".join(sorted(file.relative_to(site.house).as_posix() for file in changed))
            show(server, report, say, f"{files}: on the screen after {time.monotonic() - began:.1f} s")


def attempt(site: Site, names: list[str]) -> str:
    """Print the pages of these names and build what changed; returns what went wrong, as one text."""
    faults = [site.press(names)] if names else []
    return "\n".join(filter(None, [*faults, site.build(), *site.form(names)]))


def show(server: Server, report: str, say: Callable[[str], object], success: str) -> None:
    server.report = report
    server.reload()
    say(f"{report}\n{success}" if report else success)
    with ctrl_c_waiting():
        gc.collect()  # off while building (press.pages); of what lives on, nothing is looked at again
        gc.freeze()


@contextmanager
def ctrl_c_waiting() -> Iterator[None]:
    """Ctrl-C counts when this is over: what is raised while garbage is collected, Python reports and drops."""
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def changes(house: Path) -> Iterator[set[Path]]:
    """Yield the set of files that an author saved, again and again; the first says that it watches."""
    folders = [house / name for name in WATCHED if (house / name).is_dir()]
    before = stamps(house)
    for events in watchfiles.watch(*folders, step=20, rust_timeout=500, yield_on_timeout=True):
        now = stamps(house)
        settings = {file for file in now if now[file] != before[file]}
        before = now
        yield settings | {file for _, path in events if (file := Path(path)).suffix in SOURCES}


def stamps(house: Path) -> dict[Path, int]:
    """The settings lie among what is built: they are looked at, not watched."""
    files = [house / name for name in SETTINGS]
    return {file: file.stat().st_mtime_ns if file.exists() else 0 for file in files}


def modules(house: Path) -> dict[Path, int]:
    """What an author of bnutils saves: this program holds it as it was when it started."""
    return {file: file.stat().st_mtime_ns for file in (house / "bnutils").rglob("*.py")}


def due(house: Path, changed: set[Path], chapter: str | None) -> tuple[list[str], bool]:
    """(names of pages to print, whether Sphinx must start anew) for a set of saved files."""
    manuscripts = house / "manuscript"
    settings = any(file.relative_to(house).as_posix() in SETTINGS for file in changed)
    texts = {file for file in changed if file.suffix == ".md" and file.is_relative_to(manuscripts) and file.exists()}
    if settings:  # a new chapter is one that was never printed
        texts |= {file for file in manuscripts.rglob("*.md") if not any(map(Path.exists, products(house, file)))}
    names = sorted(file.relative_to(manuscripts).with_suffix("").as_posix() for file in texts)
    if not names and any(file.relative_to(house).parts[0] in RUN for file in changed):
        names = [chapter or "index"]  # numbers and claims are written anew; without a chapter nothing runs
    return names, settings


def products(house: Path, source: Path) -> tuple[Path, ...]:
    name = source.relative_to(house / "manuscript").with_suffix("")
    return (house / f"{name}.md", *(house / "chapters" / f"{name}{suffix}" for suffix in (".ipynb", ".md")))


# ------------------------------------------------------------------------------------------------ from text to page


class Site:
    """The book as pages; Sphinx stays in memory and writes what changed."""

    def __init__(self, house: Path):
        self.house, self.app = house, None
        self.loaded = modules(house)

    def press(self, names: list[str]) -> str:
        """Print pages, run the chapters among them that are due; returns the report of what failed, or nothing."""
        if modules(self.house) == self.loaded:
            try:
                read = book.read(self.house)
                plan = book.plan(read)
            except manuscript.Unreadable as error:
                return "\n".join(error.lines)
            if not plan.due.keys() & set(names):
                faults = plan.faults_of(set(names))
                return "\n".join(faults or book.carry_out(read, plan, []).unwritten.values())
        # a cell has to run, or what this program has loaded is old
        command = [sys.executable, "-m", "press", "chapters", *names]
        with subprocess.Popen(command, cwd=self.house, stderr=subprocess.PIPE, text=True) as process:
            try:
                _, said = process.communicate()
            except KeyboardInterrupt:  # it was told as well, and stops its kernels
                process.wait()
                raise
        return COLOURS.sub("", said).strip() if process.returncode else ""

    def build(self) -> str:
        """Write the pages whose text changed; returns the warnings."""
        try:
            if self.app is None:
                self.start()
            self.warnings.truncate(self.warnings.seek(0))
            self.app.build()
        except Exception as error:
            self.close()  # it begins anew with the next change
            return f"{type(error).__name__}: {error}"
        return COLOURS.sub("", self.warnings.getvalue()).replace(f"{self.house}/", "").strip()

    def start(self) -> None:
        self.context, self.warnings = ExitStack(), io.StringIO()
        out = self.house / OUT
        starting = build.sphinx(self.house, out / "html", out / "doctrees", self.warnings, publishing=False)
        self.app = self.context.enter_context(starting)
        self.context.callback(shutil.rmtree, self.app._katex_static_path, ignore_errors=True)
        for listener in list(self.app.events.listeners["build-finished"]):
            if listener.handler is katex.builder_finished:  # it would take away what the next build needs
                self.app.disconnect(listener.id)

    def forget(self) -> None:
        """Read and write all pages in the next build: the contents stand on each."""
        self.close()
        shutil.rmtree(self.house / OUT / "doctrees", ignore_errors=True)

    def close(self) -> None:
        if self.app is not None:
            self.app = None
            self.context.close()

    def form(self, names: list[str]) -> Iterator[str]:
        """What `press check` would say of the form of these pages."""
        for name in names:
            source = self.house / "manuscript" / f"{name}.md"
            if source.exists():
                with suppress(manuscript.Unreadable):  # printing has said so
                    yield from rules.faults(manuscript.read_page(self.house, source))


# ------------------------------------------------------------------------------------------------ from page to browser


class Server(RebuildServer):
    """The websocket of sphinx-autobuild, told by this program what to reload."""

    def __init__(self):
        super().__init__([], None, None)
        self.report = ""

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.loop = asyncio.get_running_loop()
        yield

    def reload(self) -> None:
        """Wake the pages that are open now; one that is opened later is new as it is."""
        for step in (self.flag.set, self.flag.clear):
            self.loop.call_soon_threadsafe(step)


class Pages(StaticFiles):
    """Never from the memory of the browser: a page that did not change may carry another report."""

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        return False


class Injector(JavascriptInjectorMiddleware):
    """Behind every page: the script that reloads it, and what went wrong."""

    def __init__(self, app: ASGIApp, ws_url: str, server: Server):
        self.server = server
        super().__init__(app, ws_url)

    @property
    def script(self) -> bytes:
        report = BOX.format(html.escape(self.server.report)) if self.server.report else ""
        return self.reloading + report.encode()

    @script.setter
    def script(self, reloading: bytes) -> None:
        self.reloading = reloading


@contextmanager
def serving(folder: Path, listener: socket.socket, address: str) -> Iterator[Server]:
    """Serve a folder from another thread; gives the `Server`, whose `reload` tells every open page."""
    server = Server()
    app = Starlette(
        routes=[WebSocketRoute("/websocket-reload", server), Mount("/", Pages(directory=folder, html=True))],
        middleware=[Middleware(Injector, ws_url=address, server=server)],
        lifespan=server.lifespan,
    )
    host = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=host.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not host.started:
            if not thread.is_alive():
                raise RuntimeError("the web server did not start")
            time.sleep(0.01)
        yield server
    finally:
        host.should_exit = True
        thread.join(timeout=5)  # a page that stays open is no reason to stay
