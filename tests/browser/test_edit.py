"""`press edit` with its real server: what a save in JupyterLab does to the manuscript."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120


class Editor:
    """The contents of a running server, as JupyterLab asks for them."""

    def __init__(self, port, token):
        self.address, self.token = f"http://127.0.0.1:{port}/api/", token

    def ask(self, path, model=None):
        data = None if model is None else json.dumps(model).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        with urlopen(Request(self.address + path, data, headers, method="PUT" if data else "GET")) as answer:
            return json.load(answer)


@pytest.fixture
def house(tmp_path):
    shutil.copytree(ROOT / "manuscript", tmp_path / "manuscript")
    return tmp_path


@pytest.fixture
def editor(house):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = [f"--ServerApp.port={port}", "--IdentityProvider.token=secret", "--no-browser", "--allow-root"]
    home = house / "home"
    process = subprocess.Popen(
        [sys.executable, "-m", "press", "edit", "--app", "jupyter_server", *options],
        cwd=house,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(home), "JUPYTER_PLATFORM_DIRS": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    editor, deadline = Editor(port, "secret"), time.monotonic() + SECONDS
    while True:
        try:
            editor.ask("status")
        except URLError:
            assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        else:
            break
    yield editor
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(SECONDS)
    assert not list(home.rglob("*.json")), "a setting was written into the home of the user"


def test_a_save_as_a_notebook_changes_the_one_line(house, editor):
    source = house / "manuscript/algorithm/the-transform.md"
    before = source.read_text("utf8").splitlines()
    model = editor.ask("contents/algorithm/the-transform.md?type=notebook&content=1")
    cells = model["content"]["cells"]
    cell = next(cell for cell in cells if cell["cell_type"] == "code" and "standardise=True" in cell["source"])
    cell["source"] = cell["source"].replace("standardise=True", "standardise=False", 1)
    cell["metadata"]["editable"] = True
    cell["execution_count"], cell["outputs"] = 1, [{"output_type": "stream", "name": "stdout", "text": "seen\n"}]
    editor.ask(
        "contents/algorithm/the-transform.md", {"type": "notebook", "format": "json", "content": model["content"]}
    )
    after = source.read_text("utf8").splitlines()
    assert len(after) == len(before)
    ((old, new),) = [(old, new) for old, new in zip(before, after) if old != new]
    assert new == old.replace("standardise=True", "standardise=False")
    assert not list(house.rglob("*.ipynb")), "a notebook lies beside the text"
