"""Real data as arrays, split once by a seed."""

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np

NAMES = ("digits", "fashion-mnist")
CUTS = (1000, 1297)  # of 1797: 1000 to train on, 297 to validate, 500 to test

SYSTEM = Path("/usr/share/datasets/fashion-mnist")  # of Debian's package dataset-fashion-mnist
ADDRESS = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
FILES = {  # as published there: SHA-256 of the packed file; size and SHA-256 of its content, however it is packed
    "train-images-idx3-ubyte.gz": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        47040016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "train-labels-idx1-ubyte.gz": (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        60008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "t10k-images-idx3-ubyte.gz": (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        7840016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        10008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
HEADERS = {"images": 16, "labels": 8}  # bytes before the items: a magic number and the sizes, of four bytes each


@dataclass(frozen=True, eq=False)
class Data:
    """Three parts of one data set, as read-only arrays: one image a row of inputs, one label in int64 for each.

    The inputs are (n, 64) in float64 for the digits, (n, 784) in float32 for Fashion-MNIST. ``mean`` and ``scale`` are
    what standardising subtracted and divided by: 0.0 and 1.0 if it was not asked for.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    mean: float
    scale: float


def load(name: str, *, standardise: bool = False, seed: int = 0, folder: str | Path | None = None) -> Data:
    """Load a data set and split it by a seeded permutation.

    The digits: optical recognition of handwritten digits, E. Alpaydin and C. Kaynak (1998), UCI Machine Learning
    Repository. The copy is the one inside scikit-learn, the 1797 images of the original test set, so nothing is
    downloaded. All images are permuted: 1000 to train on, 297 to validate, 500 to test.

    Fashion-MNIST: articles of clothing, H. Xiao, K. Rasul and R. Vollgraf (2017), MIT licence. The 10000 images that
    its authors set apart to test on stay as they are, whatever the seed; their 60000 training images are permuted: five
    sixths to train on, one sixth to validate. The first of these that is there is read: ``folder``; the folder that the
    environment variable ``BNUTILS_DATA`` names; Debian's package ``dataset-fashion-mnist``; the user's cache. If there
    is none, the files are downloaded into the cache (30 MB). Wherever they come from, their content is held against its
    published SHA-256. The pixels are float32: 220 MB, half of float64.

    Parameters
    ----------
    name : str
        ``"digits"``: 1797 handwritten digits, 8 by 8 pixels from 0 to 16, in ten classes; ``"fashion-mnist"``: 70000
        articles, 28 by 28 pixels from 0 to 255, in ten classes
    standardise : bool
        subtract one mean and divide by one standard deviation, both those of all training pixels, in all three parts
    seed : int
        of the permutation; 0 or more
    folder : str
        for Fashion-MNIST: where its four IDX files lie, gzipped or not

    Returns
    -------
    Data
        the three parts

    Raises
    ------
    ValueError
        an unknown name, a seed that is not an integer of 0 or more, a folder for the digits; a file that is damaged, or
        is not the published one
    FileNotFoundError
        a folder that was given and lacks one of the four files
    ConnectionError
        a download that failed; nothing of it is kept
    """
    if name not in NAMES:
        raise ValueError(f"expected the name of a data set, one of {', '.join(map(repr, NAMES))}, got {name!r}")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"expected an integer seed of 0 or more, got {seed!r}")
    if name == "digits" and folder is not None:
        raise ValueError(f"expected no folder for the digits, which are inside scikit-learn, got {str(folder)!r}")
    x, y, cuts, apart, kind = _digits() if name == "digits" else _fashion(folder)
    order = np.random.default_rng(seed).permutation(len(x))
    parts = [(x[rows].astype(kind), y[rows].astype(np.int64)) for rows in np.split(order, cuts)] + apart
    mean, scale = 0.0, 1.0
    if standardise:
        x_train = parts[0][0]
        mean, scale = float(x_train.mean(dtype=np.float64)), float(x_train.std(dtype=np.float64))
        parts = [((x - mean) / scale, y) for x, y in parts]
    arrays = [array for part in parts for array in part]
    for array in arrays:
        array.setflags(write=False)
    return Data(name, *arrays, mean, scale)


def _digits():
    """Images, labels, where to cut them, the parts that are not dealt (none), and the type of the pixels."""
    from sklearn.datasets import load_digits

    return *load_digits(return_X_y=True), CUTS, [], np.float64


def _fashion(folder):
    """As ``_digits``; the authors' test images are a part that is not dealt."""
    folder, cure = _find(folder)
    try:
        x, y, x_test, y_test = (_read(folder, name) for name in FILES)
    except (FileNotFoundError, ValueError) as error:
        raise type(error)(f"{error}; {cure}") from None
    return x, y, [5 * len(x) // 6], [(x_test.astype(np.float32), y_test.astype(np.int64))], np.float32


def _find(folder):
    """The folder to read, and what to do about a file in it that cannot be used."""
    again = f"get the files again from {ADDRESS}"
    if folder is not None:
        return Path(folder).expanduser(), f"{again}, or give another folder"
    if os.environ.get("BNUTILS_DATA"):
        return Path(os.environ["BNUTILS_DATA"]).expanduser(), f"{again}, or let BNUTILS_DATA name another folder"
    if all(_file(SYSTEM, name) for name in FILES):
        return SYSTEM, "install the package dataset-fashion-mnist again, or give a folder"
    cache = _download()
    return cache, f"delete {cache}, and run this again"


def _download():
    """The folder in the user's cache, after fetching those of the four files that are not in it as published."""
    import pooch
    from requests import RequestException

    cache = pooch.os_cache("bnutils") / "fashion-mnist"
    by_hand = f"or get the files of {ADDRESS} by hand and give their folder: load('fashion-mnist', folder=...)"
    downloader = pooch.HTTPDownloader(progressbar=True)
    for name, (sha256, *_) in FILES.items():
        try:  # a temporary file first, moved once its checksum is right
            pooch.retrieve(ADDRESS + name, sha256, name, cache, downloader=downloader)
        except RequestException as error:
            kind, says = ConnectionError, f"{ADDRESS}{name} could not be downloaded ({error}); connect, run this again"
        except OSError as error:
            kind, says = OSError, f"{cache / name} could not be written ({error}); make room or give the right to write"
        except ValueError as error:
            kind, says = ValueError, f"{ADDRESS}{name} came with a wrong checksum ({error}); run this again"
        else:
            continue
        raise kind(f"{says}, {by_hand}")
    return cache


def _file(folder, name):
    """The file of that name, or the same one unpacked; None if there is neither."""
    return next((path for path in (folder / name, folder / name.removesuffix(".gz")) if path.is_file()), None)


def _read(folder, name):
    """The bytes of one file, known to be the published ones: images (n, 784) or labels (n,)."""
    path, (_, size, sha256) = _file(folder, name), FILES[name]
    if path is None:
        raise FileNotFoundError(f"{folder} holds no file {name}, and none without the .gz")
    with path.open("rb") as file:
        packed = file.peek(2).startswith(b"\x1f\x8b")  # whatever the name says; no IDX file begins like that
        try:  # one byte more than there should be shows a file that goes on, and reads to the end of one that does not
            content = (gzip.GzipFile(fileobj=file) if packed else file).read(size + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is cut short or damaged ({error})") from None
    if len(content) < size:
        raise ValueError(f"{path} is cut short: expected {size} bytes, got {len(content)}")
    if len(content) > size:
        raise ValueError(f"{path} goes on after its end: expected {size} bytes, got more")
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(f"{path} is not the published file: expected content of SHA-256 {sha256}, got {found}")
    kind = name.split("-")[1]
    items = np.frombuffer(content, np.uint8, offset=HEADERS[kind])
    return items.reshape(-1, 28 * 28) if kind == "images" else items
