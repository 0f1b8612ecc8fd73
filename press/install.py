"""Make the book's environment, or say in one line why it cannot be made.

    python3 press/install.py VENV pages|all|lab

Standard library only, and readable by any Python 3. A stamp is written when everything is in place: a second call finds
it and does nothing, a call after a failure starts where that one stopped.
"""

import hashlib
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

# what a failed install prints -> what the reader should do
CAUSES = [
    (
        ("No space left on device", "ENOSPC", "Errno 28"),
        "the disk is full; free {size} where {venv} lies, and run the same command again",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLError"),
        "the network answers with a certificate that Python does not trust; set PIP_CERT to your network's certificate file, and run the same command again",
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


def stop(message):
    sys.exit("install: " + message)


def check_python(version):
    """One line for a Python that cannot run the book, or None."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        return "Python %d.%d to %d.%d is needed, this is %d.%d; install one and give it: make PYTHON=python3.13" % (
            OLDEST + NEWEST + tuple(version[:2])
        )
    return None


def cause(output, venv, level):
    """One line that says why an install failed and what to do."""
    for signs, advice in CAUSES:
        if any(sign in output for sign in signs):
            return advice.format(venv=venv, size=SIZES[level])
    lines = [line for line in output.strip().splitlines() if line.strip()] or ["no output"]
    errors = [line for line in lines if "error" in line.lower()]
    return "%s; the whole output is in %s" % ((errors or lines)[-1].strip(), log_of(venv))


def log_of(venv):
    return os.path.join(venv, "install.log")


def run(command, venv, level, what, **options):
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


def make_venv(venv):
    """A virtual environment with pip; a half-made one is made again."""
    python = os.path.join(venv, "bin", "python")
    works = (
        subprocess.run([python, "-c", "import pip"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        == 0
        if os.path.exists(python)
        else False
    )
    if works:
        return python
    shutil.rmtree(venv, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401
        import venv as maker
    except ImportError:
        stop(
            "this Python cannot make environments (no ensurepip); on Debian or Ubuntu: sudo apt install python3-venv, then the same command again"
        )
    try:
        maker.EnvBuilder(with_pip=True, symlinks=True).create(venv)
    except (OSError, subprocess.CalledProcessError) as error:
        output = str(error) + str(getattr(error, "output", ""))
        shutil.rmtree(venv, ignore_errors=True)
        stop(
            cause(output, venv, "pages")
            if not isinstance(error, subprocess.CalledProcessError) or "space" in output
            else "the environment could not be made (%s); check the free disk space, and on Debian or Ubuntu: sudo apt install python3-venv"
            % error
        )
    return python


def wanted(level):
    """A digest of everything that decides what is installed."""
    content = hashlib.sha256()
    for name in PINS:
        with open(name, "rb") as file:
            content.update(file.read())
    return "%s %s %s" % (level, content.hexdigest()[:16], os.environ.get("TORCH_INDEX", ""))


def main(venv, level):
    if ready(venv, level):
        return
    message = check_python(sys.version_info)
    if message:
        stop(message)
    venv = os.path.abspath(venv)
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
    npm = os.path.join(venv, "bin", "npm")
    run([npm, "ci", "--no-audit", "--no-fund"], venv, level, "the style and fonts of the formulas", timeout=NPM_SECONDS)
    for held in list(LISTS)[: list(LISTS).index(level) + 1]:  # each list includes the one before
        with open(stamp_of(venv, held), "w") as file:
            file.write(wanted(held))


def stamp_of(venv, level):
    return os.path.join(venv, "." + level)


def ready(venv, level):
    """Whether this level is installed from the pins as they are now."""
    if not os.path.exists(os.path.join(venv, "bin", "python")) or not os.path.exists(stamp_of(venv, level)):
        return False
    with open(stamp_of(venv, level)) as file:
        return file.read() == wanted(level) and os.path.isdir("node_modules")


def torch_version():
    with open("requirements.txt") as file:
        return next(line.split("==")[1].strip() for line in file if line.startswith("torch=="))


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2])
    except OSError as error:
        stop(cause(str(error), sys.argv[1], sys.argv[2]))
    except KeyboardInterrupt:
        stop("interrupted; the same command goes on from here")
