"""A small house, printed once, and copies of it to damage."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from press import bench

ROOT = Path(__file__).resolve().parents[2]

ONE = """---
kernelspec: {name: python3, display_name: Python 3}
---

# One

A count of {n}`count:d`, a share of {n}`share:.2f`.

```{code-cell}
from IPython.display import display
from bnutils import data, figures
from bnutils.evidence import exact, measured, over

share = 0.12345
exact(count=3)
measured(share=over([share], below=1))
drawn = {
    "text/plain": "a dot",
    "image/png": "iVBORw0KGgo=",
    "text/html": '<figure class="bn-figure"><svg aria-label="a dot"><circle r="1"/></svg>'
    '<figcaption><a href="data:text/csv,1">data</a></figcaption></figure>',
}
display(figures.with_record(drawn, "dot"), raw=True, metadata={"image/png": {"width": 1}})
exact(second=2, first=1)
```

```{code-cell}
print(len(data.load("digits").x_train))
```
"""

TWO = """---
kernelspec: {name: python3, display_name: Python 3}
---

# Two

The other page counts {n}`part/one::count:d`; a machine took {n}`records/speed::seconds:.1f` seconds.
It shares {n}`part/one::share:.2f`.

```{code-cell}
from pathlib import Path
with open(Path("..", "..", "ran.txt"), "a") as file:
    file.write("two ")
print("ran")
```
"""


class House:
    """The root of a small book, and the press run in it."""

    def __init__(self, root):
        self.root = root

    def press(self, *arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "press", *arguments],
            cwd=self.root,
            env=self.environment(),
            text=True,
            capture_output=True,
            timeout=300,
            **options,
        )

    def environment(self):
        return dict(os.environ) | {"PYTHONPATH": f"{self.root}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}

    def manuscript(self, name):
        return self.root / "manuscript" / f"{name}.md"

    def chapter(self, name):
        return self.root / "chapters" / f"{name}.ipynb"

    def change(self, file, old, new):
        text = file.read_text("utf8")
        assert text.count(old) >= 1, f"{old!r} is not in {file.name}"
        file.write_text(text.replace(old, new, 1), "utf8")

    def append(self, name, text):
        with (self.root / name).open("a") as file:
            file.write(text)

    def bytes(self):
        return {
            file.relative_to(self.root): file.read_bytes()
            for file in sorted(self.root.glob("chapters/**/*"))
            if file.is_file()
        }

    def runs(self):
        return (self.root / "ran.txt").read_text().split()


@pytest.fixture(scope="session")
def printed(tmp_path_factory):
    root = tmp_path_factory.mktemp("house")
    house = House(root)
    (root / "manuscript" / "part").mkdir(parents=True)
    (root / "records").mkdir()
    bench.keep(root / "records" / "speed.json", {"seconds": 1.25})
    house.manuscript("part/one").write_text(ONE, "utf8")
    house.manuscript("part/two").write_text(TWO, "utf8")
    house.manuscript("index").write_text(
        "# Start\n\nIt counts {n}`part/one::count:d` and shares {n}`part/one::share:.2f`.\n", "utf8"
    )
    (root / "manuscript" / "claims.yml").write_text("[]\n")
    shutil.copytree(ROOT / "bnutils", root / "bnutils", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    done = house.press("chapters")
    assert done.returncode == 0, done.stderr
    return house


@pytest.fixture
def house(printed, tmp_path):
    shutil.copytree(printed.root, tmp_path / "house", symlinks=True)
    return House(tmp_path / "house")
