"""The hooks of a commit: each refuses what it is there to refuse, and passes what is sound."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MARKER = "<" * 7 + " HEAD\n"

REFUSED = {
    "ruff": ("bad.py", "import os\n"),
    "ruff-format": ("bad.py", "x = ( 1 )\n"),
    "merge-markers": ("bad.md", f"text\n{MARKER}"),
    "large-files": ("bad.bin", "x" * (2048 * 1024 + 1)),
}


@pytest.fixture
def repository(tmp_path):
    for name in (".pre-commit-config.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "good.py").write_text("x = 1\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def lint(repository):
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files"],
        cwd=repository,
        env=os.environ | {"PATH": path, "PRE_COMMIT_HOME": str(repository / ".git" / "store")},
        text=True,
        capture_output=True,
        timeout=120,
    )


def test_sound_files_pass(repository):
    done = lint(repository)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("hook", REFUSED)
def test_a_hook_refuses(repository, hook):
    name, content = REFUSED[hook]
    (repository / name).write_text(content)
    done = lint(repository)
    assert done.returncode == 1 and done.stdout.count("Failed") == 1 and f"hook id: {hook}" in done.stdout, done.stdout


def test_nothing_is_fetched():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} <= {"system", "pygrep"}
    assert {hook["id"] for hook in repository["hooks"]} == {*REFUSED, "press-check"}
