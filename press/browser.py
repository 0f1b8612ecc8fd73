"""Chromium, found on this machine and driven by Playwright, and the site served to it as a static host would."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import mimetypes
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# every host but this one fails inside the browser, before a packet is made
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--proxy-server=direct://",
]
TEXT = (".html", ".css", ".js", ".json", ".ipynb", ".svg", ".txt", ".xml", ".csv", ".md", ".py", ".webmanifest")
TYPES = {
    ".js": "text/javascript",
    ".ipynb": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


class NoBrowser(Exception):
    """No Chromium here; the message is one line that says how to get it."""


def find() -> str:
    """The path of a Chromium: CHROME_PATH or BROWSER if set, else the first one that is installed."""
    given = os.environ.get("CHROME_PATH")
    if given:
        if found := shutil.which(given):
            return found
        raise NoBrowser(
            f"CHROME_PATH is {given}, which is no program; give the path of a Chromium or Chrome, or unset it"
        )
    wanted = os.environ.get("BROWSER", "")  # often names a program that is no Chromium
    for name in (*([wanted] if "chrom" in Path(wanted).name.lower() else []), *NAMES, *APPLICATIONS):
        if found := shutil.which(name):
            return found
    raise NoBrowser(
        "no Chromium or Chrome was found; on Debian or Ubuntu: sudo apt install chromium; "
        "on macOS: brew install --cask chromium; or set CHROME_PATH"
    )


def options() -> dict:
    """How Playwright starts the browser of this machine."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return {"executable_path": find(), "args": FLAGS + ["--no-sandbox"] * root, "chromium_sandbox": not root}


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """One browser; the caller makes contexts in it."""
    given = options()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**given)
        try:
            yield browser
        finally:
            browser.close()


class Host(http.server.BaseHTTPRequestHandler):
    """A static host with the habits of GitHub Pages: gzip for text, ten minutes of caching, 404.html."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        file, status = self.resolve(urlsplit(self.path).path), 200
        if file is None:
            file, status = self.resolve("/404.html"), 404
        body = b"not found" if file is None else file.read_bytes()
        suffix = ".txt" if file is None else file.suffix
        self.send_response(status)
        kind = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
        self.send_header("Content-Type", kind + ("; charset=utf-8" if suffix in TEXT else ""))
        if suffix in TEXT and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 6, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def resolve(self, path: str) -> Path | None:
        """The file of the site that an address stands for."""
        file = (self.server.folder / unquote(path).lstrip("/")).resolve()
        if file.is_dir():
            file /= "index.html"
        return file if file.is_relative_to(self.server.folder) and file.is_file() else None

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a page that was closed while it loaded


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The folder at http://127.0.0.1:PORT/; yields that address."""
    server = Server(("127.0.0.1", 0), Host)
    server.folder = Path(folder).resolve()
    thread = threading.Thread(target=functools.partial(server.serve_forever, poll_interval=0.05), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pages(folder: Path) -> list[str]:
    """Every page of a built site, as addresses relative to its root; the templates of the theme are none."""
    return sorted(
        file.relative_to(folder).as_posix()
        for file in Path(folder).rglob("*.html")
        if "_static" not in file.parts and "_sources" not in file.parts
    )


if __name__ == "__main__":  # `make audit` asks before it installs what a browser would need
    try:
        find()
    except NoBrowser as error:
        sys.exit(str(error))
