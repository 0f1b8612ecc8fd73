"""Build the pages of the book in this folder; see `press.site`."""

import sys
from pathlib import Path

from press.site import build

sys.exit(build.main(Path.cwd()))
