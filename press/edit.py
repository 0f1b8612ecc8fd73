"""The manuscript as notebooks in JupyterLab; a save there is an edit of the text."""

import os
import sys
from pathlib import Path
from typing import NoReturn

SETTINGS = Path(__file__).with_name("jupyter")  # a double click opens a notebook; nothing is written into the home


def run(house: Path, *options: str, app: str = "jupyterlab") -> NoReturn:
    """Become the server.

    Parameters
    ----------
    house : Path          the root of the book
    *options : str        for the server, such as "--no-browser"
    app : str             the module that serves
    """
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH")]
    command = [sys.executable, "-m", app, f"--ServerApp.root_dir={house / 'manuscript'}"]
    command += ["--ServerApp.contents_manager_class=jupytext.TextFileContentsManager", *options]
    os.execve(sys.executable, command, os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))})
