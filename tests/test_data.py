"""The data sets: three parts of one set of images, the same for the same seed, and from files that can be trusted."""

import gc
import gzip
import hashlib
import http.server
import struct
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pooch
import pytest
from sklearn.datasets import load_digits

from bnutils import data

PARTS = ("train", "validation", "test")
THE_FILES = data.FILES
STEMS = [name.removesuffix(".gz") for name in data.FILES]


def rows(loaded, parts=PARTS):
    """Every image with its label, one a row."""
    return np.concatenate([np.column_stack([getattr(loaded, f"x_{p}"), getattr(loaded, f"y_{p}")]) for p in parts])


def in_order(table):
    return table[np.lexsort(table.T)]


def test_sizes_and_types():
    digits = data.load("digits")
    assert [getattr(digits, f"x_{p}").shape for p in PARTS] == [(1000, 64), (297, 64), (500, 64)]
    assert [getattr(digits, f"y_{p}").shape for p in PARTS] == [(1000,), (297,), (500,)]
    assert {getattr(digits, f"x_{p}").dtype for p in PARTS} == {np.dtype(np.float64)}
    assert {getattr(digits, f"y_{p}").dtype for p in PARTS} == {np.dtype(np.int64)}
    assert (digits.name, digits.mean, digits.scale) == ("digits", 0.0, 1.0)


def test_every_image_is_in_one_part_with_its_own_label():
    original = np.column_stack(load_digits(return_X_y=True))
    np.testing.assert_array_equal(in_order(rows(data.load("digits", seed=3))), in_order(original))


def test_a_seed_names_a_split():
    np.testing.assert_array_equal(rows(data.load("digits", seed=1)), rows(data.load("digits", seed=1)))
    assert not np.array_equal(rows(data.load("digits", seed=1)), rows(data.load("digits", seed=2)))
    np.testing.assert_array_equal(rows(data.load("digits")), rows(data.load("digits", seed=0)))


def test_a_split_is_shuffled():
    """In the original order the parts come from different writers; a permutation mixes them."""
    original = np.column_stack(load_digits(return_X_y=True))
    moved = (rows(data.load("digits", seed=0)) != original).any(1)
    assert moved.mean() > 0.98
    for part in PARTS:
        assert set(getattr(data.load("digits", seed=0), f"y_{part}")) == set(range(10))


def test_standardising_uses_the_training_part_and_moves_all_three_alike():
    plain, standard = data.load("digits", seed=4), data.load("digits", standardise=True, seed=4)
    assert abs(standard.x_train.mean()) < 1e-13 and abs(standard.x_train.std() - 1) < 1e-13
    assert (standard.mean, standard.scale) == (plain.x_train.mean(), plain.x_train.std())
    for part in PARTS:
        restored = getattr(standard, f"x_{part}") * standard.scale + standard.mean
        np.testing.assert_allclose(restored, getattr(plain, f"x_{part}"), atol=1e-12)
        np.testing.assert_array_equal(getattr(standard, f"y_{part}"), getattr(plain, f"y_{part}"))
    assert abs(standard.x_test.mean()) > 1e-6  # the test part has had no say in its own mean


@pytest.mark.parametrize("standardise", [False, True])
def test_the_arrays_are_read_only(standardise):
    digits = data.load("digits", standardise=standardise)
    for part in PARTS:
        for letter in "xy":
            with pytest.raises(ValueError, match="read-only"):
                getattr(digits, f"{letter}_{part}")[0] = 0
    with pytest.raises(AttributeError):
        digits.x_train = None


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: data.load("mnist"), "expected the name of a data set, one of 'digits', 'fashion-mnist', got 'mnist'"),
        (lambda: data.load("digits", folder="here"), "expected no folder for the digits, .* got 'here'"),
        (lambda: data.load("fashion-mnist", seed=-1), "expected an integer seed of 0 or more, got -1"),
        (lambda: data.load("digits", seed=None), "expected an integer seed of 0 or more, got None"),
        (lambda: data.load("digits", seed=-1), "expected an integer seed of 0 or more, got -1"),
        (lambda: data.load("digits", seed=1.0), "expected an integer seed of 0 or more, got 1.0"),
        (lambda: data.load("digits", seed=True), "expected an integer seed of 0 or more, got True"),
    ],
)
def test_an_error_says_what_there_is(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# ------------------------------------------------------------------------------------------- Fashion-MNIST, small files


def idx(items):
    """An IDX file of bytes: images (n, rows, columns) or labels (n,)."""
    items = np.asarray(items)
    return struct.pack(f">{1 + items.ndim}I", 0x800 + items.ndim, *items.shape) + items.astype(np.uint8).tobytes()


def contents(train=12, test=4, first=0):
    """The four files by name, unpacked: image i of all is a plain grey of value first + i, its label i modulo 10."""
    grey = np.arange(first, first + train + test)[:, None, None] * np.ones((28, 28))
    labels = np.arange(train + test) % 10
    return dict(zip(STEMS, [idx(grey[:train]), idx(labels[:train]), idx(grey[train:]), idx(labels[train:])]))


def put(folder, files=None, packed=True):
    """Write the files into a folder, gzipped or not."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, content in (files or contents()).items():
        (folder / (stem + ".gz" * packed)).write_bytes(gzip.compress(content, mtime=0) if packed else content)
    return folder


def published(files):
    """What the module says of the real files, said of these."""
    packed = {stem: gzip.compress(content, mtime=0) for stem, content in files.items()}
    return {f"{stem}.gz": (sha256(packed[stem]), len(content), sha256(content)) for stem, content in files.items()}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def inventory(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """Neither a system data set, nor a cache, nor a network: what a test does not set up is not there.

    The published files are small ones.
    """
    monkeypatch.setattr(data, "FILES", published(contents()))
    monkeypatch.delenv("BNUTILS_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(data, "SYSTEM", tmp_path / "system")
    monkeypatch.setattr(data, "ADDRESS", "http://127.0.0.1:9/")  # the port that discards: nobody listens
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)


@pytest.fixture
def publish(nowhere, monkeypatch):
    """Make these the published files."""

    def publish(files):
        monkeypatch.setattr(data, "FILES", published(files))
        return files

    return publish


def test_sizes_and_types_of_fashion_mnist(tmp_path):
    loaded = data.load("fashion-mnist", folder=put(tmp_path / "given"))
    assert [getattr(loaded, f"x_{p}").shape for p in PARTS] == [(10, 784), (2, 784), (4, 784)]
    assert [getattr(loaded, f"y_{p}").shape for p in PARTS] == [(10,), (2,), (4,)]
    assert {getattr(loaded, f"x_{p}").dtype for p in PARTS} == {np.dtype(np.float32)}
    assert {getattr(loaded, f"y_{p}").dtype for p in PARTS} == {np.dtype(np.int64)}
    assert (loaded.name, loaded.mean, loaded.scale) == ("fashion-mnist", 0.0, 1.0)
    assert not any(getattr(loaded, f"{letter}_{p}").flags.writeable for letter in "xy" for p in PARTS)


def test_pixels_are_read_row_by_row(tmp_path, publish):
    image = np.arange(784).reshape(1, 28, 28) % 251
    files = contents() | {STEMS[2]: idx(image), STEMS[3]: idx([7])}
    loaded = data.load("fashion-mnist", folder=put(tmp_path / "given", publish(files)))
    np.testing.assert_array_equal(loaded.x_test, np.arange(784)[None] % 251)
    np.testing.assert_array_equal(loaded.y_test, [7])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_seed_deals_the_training_images_and_leaves_the_test_images_alone(tmp_path, seed):
    loaded = data.load("fashion-mnist", folder=put(tmp_path / "given"), seed=seed)
    again = data.load("fashion-mnist", folder=tmp_path / "given", seed=seed)
    np.testing.assert_array_equal(rows(loaded), rows(again))
    dealt = rows(loaded, PARTS[:2])[:, -2:].astype(int)  # a grey and a label for each image
    np.testing.assert_array_equal(dealt[np.argsort(dealt[:, 0])], [[i, i % 10] for i in range(12)])
    assert (np.diff(dealt[:, 0]) < 0).any()
    np.testing.assert_array_equal(rows(loaded, PARTS[2:])[:, -2:], [[12, 2], [13, 3], [14, 4], [15, 5]])
    other = data.load("fashion-mnist", folder=tmp_path / "given", seed=seed + 1)
    assert not np.array_equal(rows(other, PARTS[:2]), rows(loaded, PARTS[:2]))


@pytest.mark.parametrize("train, sizes", [(2, (1, 1)), (6, (5, 1)), (7, (5, 2)), (61, (50, 11))])
def test_any_number_of_images_is_split_five_to_one(tmp_path, publish, train, sizes):
    loaded = data.load("fashion-mnist", folder=put(tmp_path / "given", publish(contents(train, 1))))
    assert (len(loaded.x_train), len(loaded.x_validation), len(loaded.x_test)) == (*sizes, 1)


def test_standardising_fashion_mnist_keeps_float32(tmp_path, publish):
    plain = data.load("fashion-mnist", folder=put(tmp_path / "given", publish(contents(200, 50))))
    standard = data.load("fashion-mnist", folder=tmp_path / "given", standardise=True)
    assert (standard.mean, standard.scale) == (plain.x_train.mean(dtype=float), plain.x_train.std(dtype=float))
    for part in PARTS:
        x = getattr(standard, f"x_{part}")
        assert x.dtype == np.float32
        expected = (getattr(plain, f"x_{part}").astype(float) - standard.mean) / standard.scale
        np.testing.assert_allclose(x, expected, atol=1e-6)


@pytest.mark.parametrize("packed", [True, False])
def test_files_are_taken_packed_or_not_whatever_they_are_called(tmp_path, packed):
    expected = rows(data.load("fashion-mnist", folder=put(tmp_path / "reference")))
    folder = str(put(tmp_path / "given", packed=packed))
    np.testing.assert_array_equal(rows(data.load("fashion-mnist", folder=folder)), expected)
    for path in (tmp_path / "given").iterdir():  # as a browser that unpacks by itself leaves them
        path.rename(path.with_name(path.name.removesuffix(".gz") if packed else path.name + ".gz"))
    np.testing.assert_array_equal(rows(data.load("fashion-mnist", folder=tmp_path / "given")), expected)


def test_the_sources_are_asked_in_order(tmp_path, monkeypatch, server, publish):
    """Each source holds another number of images; nothing is fetched before it must be."""
    sizes = {"given": 10, "variable": 20, "system": 30, "address": 40}
    files = {source: contents(train=size) for source, size in sizes.items()}
    for source in ("given", "variable", "system"):
        put(tmp_path / source, files[source])
    server.serve(files["address"])

    def read_from(source):
        publish(files[source])
        return len(data.load("fashion-mnist", **given).x_train) == sizes[source] * 5 // 6

    given = {"folder": tmp_path / "given"}
    monkeypatch.setenv("BNUTILS_DATA", str(tmp_path / "variable"))
    assert read_from("given")
    given = {}
    assert read_from("variable")
    monkeypatch.setenv("BNUTILS_DATA", "")
    assert read_from("system")
    (tmp_path / "system" / f"{STEMS[3]}.gz").unlink()  # not whole: as if it were not there
    assert server.asked == [] and not (tmp_path / "cache").exists()
    assert read_from("address")
    assert server.asked == [f"/{name}" for name in data.FILES]
    server.stop()
    assert read_from("address")  # from the cache


# ------------------------------------------------------------------------------------------- damaged files

TRAIN_X, TRAIN_Y, TEST_X, TEST_Y = STEMS
OTHER = "is not the published file: expected content of SHA-256 {sha256}, got [0-9a-f]{{64}}"
FAULTS = {
    "images cut short": (TRAIN_X, lambda whole: whole[:-1], "is cut short: expected {size} bytes, got 9423"),
    "labels cut short": (TEST_Y, lambda whole: whole[:-2], "is cut short: expected {size} bytes, got 10"),
    "cut within the header": (TRAIN_X, lambda whole: whole[:15], "is cut short: expected {size} bytes, got 15"),
    "empty": (TEST_X, lambda whole: b"", "is cut short: expected {size} bytes, got 0"),
    "too long": (TRAIN_Y, lambda whole: whole + b"x", "goes on after its end: expected {size} bytes, got more"),
    "labels for images": (TRAIN_X, lambda whole: idx(np.arange(12)), "is cut short"),
    "images for labels": (TEST_Y, lambda whole: idx(np.zeros((4, 28, 28))), "goes on after its end"),
    "a page for a file": (TRAIN_X, lambda whole: b"<html>not found</html>", "is cut short"),
    "images of another size": (TEST_X, lambda whole: idx(np.zeros((4, 32, 28))), "goes on after its end"),
    "turned images": (TEST_X, lambda whole: whole[:4] + struct.pack(">3I", 28, 4, 28) + whole[16:], OTHER),
    "fewer labels than images": (TRAIN_Y, lambda whole: idx(np.arange(11) % 10), "is cut short"),
    "a flipped pixel": (TRAIN_X, lambda whole: whole[:5000] + bytes([whole[5000] ^ 255]) + whole[5001:], OTHER),
    "two labels changed over": (TRAIN_Y, lambda whole: whole[:-2] + whole[:-3:-1], OTHER),
    "a label above 9": (TRAIN_Y, lambda whole: whole[:-3] + b"\x0a" + whole[-2:], OTHER),
}


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_file_is_named_with_its_fault_and_its_cure(tmp_path, fault, packed):
    stem, damage, says = FAULTS[fault]
    files = contents()
    put(tmp_path / "given", files | {stem: damage(files[stem])}, packed)
    before = inventory(tmp_path)
    _, size, sha256 = data.FILES[f"{stem}.gz"]
    with pytest.raises(ValueError, match=says.format(size=size, sha256=sha256)) as caught:
        data.load("fashion-mnist", folder=tmp_path / "given")
    assert str(tmp_path / "given" / stem) in str(caught.value)
    assert "; get the files again from http" in str(caught.value) and "or give another folder" in str(caught.value)
    assert inventory(tmp_path) == before


@pytest.mark.parametrize("stem", [TRAIN_X, TEST_Y])
def test_a_packed_file_may_end_nowhere_but_at_its_end(tmp_path, stem):
    file = put(tmp_path / "given") / f"{stem}.gz"
    whole = file.read_bytes()
    for size in range(0, len(whole), 1 + len(whole) // 50):
        file.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=f"{file} is cut short"):
            data.load("fashion-mnist", folder=tmp_path / "given")
    for tail in (1, 4, 8):  # within the checksum and the length at the end
        file.write_bytes(whole[:-tail])
        with pytest.raises(ValueError, match=f"{file} is cut short"):
            data.load("fashion-mnist", folder=tmp_path / "given")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-8] + bytes(4) + whole[-4:],  # another checksum
        lambda whole: whole[:20] + bytes([whole[20] ^ 255]) + whole[21:],
        lambda whole: whole + b"garbage",
    ],
)
def test_a_packed_file_with_other_bytes_is_damaged(tmp_path, damage):
    file = put(tmp_path / "given") / f"{TRAIN_X}.gz"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=f"{file} is cut short or damaged"):
        data.load("fashion-mnist", folder=tmp_path / "given")


def test_of_a_packed_file_no_more_is_unpacked_than_there_should_be(tmp_path):
    """64 MB of zeros pack into 64 kB."""
    file = put(tmp_path / "given") / f"{TEST_Y}.gz"
    file.write_bytes(gzip.compress(bytes(1 << 26)))
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"{file} goes on after its end: expected 12 bytes, got more; get the files"):
        data.load("fashion-mnist", folder=tmp_path / "given")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 22


@pytest.mark.parametrize("source", ["variable", "system"])
def test_a_flipped_pixel_is_refused_wherever_the_files_come_from(tmp_path, monkeypatch, source):
    files = contents()
    put(tmp_path / source, files | {TEST_X: files[TEST_X][:-1] + b"\xff"})
    if source == "variable":
        monkeypatch.setenv("BNUTILS_DATA", str(tmp_path / source))
    cure = {"variable": "let BNUTILS_DATA name another folder", "system": "install the package dataset-fashion-mnist"}
    with pytest.raises(ValueError, match=f"{TEST_X}.gz is not the published file: .*; .*{cure[source]}"):
        data.load("fashion-mnist")


@pytest.mark.parametrize("stem", STEMS)
def test_a_folder_that_was_given_must_hold_all_four_files(tmp_path, monkeypatch, server, stem):
    """It was asked for, so the other sources do not step in."""
    server.serve(contents())
    (put(tmp_path / "given") / f"{stem}.gz").unlink()
    says = f"{tmp_path / 'given'} holds no file {stem}.gz, .*; get the files again .* give another folder"
    with pytest.raises(FileNotFoundError, match=says):
        data.load("fashion-mnist", folder=tmp_path / "given")
    monkeypatch.setenv("BNUTILS_DATA", str(tmp_path / "given"))
    with pytest.raises(FileNotFoundError, match=f"no file {stem}.gz, .*; .* or let BNUTILS_DATA name another folder"):
        data.load("fashion-mnist")
    with pytest.raises(FileNotFoundError, match="absent holds no file"):
        data.load("fashion-mnist", folder=tmp_path / "absent")
    assert server.asked == []


def test_a_damaged_system_data_set_is_to_be_installed_again(tmp_path):
    put(tmp_path / "system", contents() | {TEST_X: b"short"})
    with pytest.raises(ValueError, match=r"is cut short.*; install the package dataset-fashion-mnist again"):
        data.load("fashion-mnist")


# ------------------------------------------------------------------------------------------- downloads


class Server:
    """Serves files on this machine, in place of the data set's own address; keeps what it was asked for."""

    def __init__(self, monkeypatch):
        self.files, self.asked, self.monkeypatch = {}, [], monkeypatch
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                content, length = outer.files.get(self.path[1:], (None, 0))
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *arguments):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        monkeypatch.setattr(data, "ADDRESS", f"http://127.0.0.1:{self.http.server_port}/")

    def serve(self, files):
        """Serve these, and make them the published files."""
        packed = {f"{stem}.gz": gzip.compress(content, mtime=0) for stem, content in files.items()}
        self.files = {name: (content, len(content)) for name, content in packed.items()}
        self.monkeypatch.setattr(data, "FILES", published(files))

    def stop(self):
        if self.thread.is_alive():
            self.http.shutdown()
            self.thread.join()
            self.http.server_close()


@pytest.fixture
def server(nowhere, monkeypatch):
    server = Server(monkeypatch)
    yield server
    server.stop()
    gc.collect()  # what a failed request left open, in its own test


def test_a_download_shows_its_progress_and_is_made_once(tmp_path, server, capsys):
    server.serve(contents())
    first = data.load("fashion-mnist")
    assert "100%" in capsys.readouterr().err
    assert {path.name for path in inventory(tmp_path / "cache")} == set(data.FILES)
    np.testing.assert_array_equal(rows(first), rows(data.load("fashion-mnist", folder=put(tmp_path / "given"))))
    server.stop()
    np.testing.assert_array_equal(rows(first), rows(data.load("fashion-mnist")))


def other_bytes(server, name):
    content = gzip.compress(contents(first=100)[name.removesuffix(".gz")])
    server.files[name] = (content, len(content))


def cut_short(server, name):
    content, length = server.files[name]
    server.files[name] = (content[:-5], length)


def cut_short_unnoticed(server, name):
    content, length = server.files[name]
    server.files[name] = (content[:-5], length - 5)


def gone(server, name):
    del server.files[name]


def no_network(server, name):
    server.monkeypatch.setattr(data, "ADDRESS", "http://127.0.0.1:9/")


@pytest.mark.parametrize(
    "harm, error, says",
    [
        (other_bytes, ValueError, "came with a wrong checksum .*expected {hash} but got"),
        (cut_short_unnoticed, ValueError, "came with a wrong checksum"),
        (cut_short, ConnectionError, "could not be downloaded .*IncompleteRead"),
        (gone, ConnectionError, "could not be downloaded .*404"),
        (no_network, ConnectionError, "could not be downloaded .*refused"),
    ],
)
@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # pooch leaves the answer to a failed request open
def test_a_failed_download_leaves_nothing_that_a_later_run_would_trust(tmp_path, server, harm, error, says, number):
    server.serve(contents())
    address, name = data.ADDRESS, list(data.FILES)[number]
    sound = dict(server.files)
    harm(server, name)
    with pytest.raises(error, match=says.format(hash=data.FILES[name][0])) as caught:
        data.load("fashion-mnist")
    if harm is not no_network:
        assert str(caught.value).startswith(f"{address}{name} ")
        assert {path.name for path in inventory(tmp_path / "cache")} == set(list(data.FILES)[:number])
    assert "run this again, or get the files of" in str(caught.value)
    assert str(caught.value).endswith("give their folder: load('fashion-mnist', folder=...)")
    server.files = sound  # the cure works
    server.monkeypatch.setattr(data, "ADDRESS", address)
    assert data.load("fashion-mnist").x_test[0, 0] == 12


def test_a_file_damaged_in_the_cache_is_fetched_again_and_never_read(tmp_path, server):
    server.serve(contents())
    data.load("fashion-mnist")
    file = tmp_path / "cache" / "bnutils" / "fashion-mnist" / f"{TEST_Y}.gz"
    file.write_bytes(gzip.compress(idx([9, 9, 9, 9])))  # sound, but not what was published
    address = data.ADDRESS
    no_network(server, None)
    with pytest.raises(ConnectionError):
        data.load("fashion-mnist")
    server.monkeypatch.setattr(data, "ADDRESS", address)
    np.testing.assert_array_equal(data.load("fashion-mnist").y_test, [2, 3, 4, 5])
    assert len(server.asked) == 5


def test_a_cache_that_cannot_be_written_is_named(tmp_path, server):
    server.serve(contents())
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(OSError, match=r"cache.* could not be written .*; make room .*, or get the files"):
        data.load("fashion-mnist")


def test_neither_importing_nor_a_folder_loads_the_downloader(tmp_path):
    put(tmp_path / "given")
    code = (
        f"import sys; from bnutils import data; data.FILES = {data.FILES};"
        "data.load('fashion-mnist', folder=sys.argv[1]);"
        "print({'pooch', 'requests', 'sklearn', 'tqdm'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "given"], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# ------------------------------------------------------------------------------------------- the real files

REAL = Path("/usr/share/datasets/fashion-mnist")
needs_the_real_files = pytest.mark.skipif(
    not all((REAL / name).is_file() for name in data.FILES),
    reason="Fashion-MNIST is not installed on this system; on Debian: apt-get install dataset-fashion-mnist",
)


@needs_the_real_files
def test_the_real_fashion_mnist(monkeypatch):
    monkeypatch.setattr(data, "SYSTEM", REAL)
    monkeypatch.setattr(data, "FILES", THE_FILES)
    loaded = data.load("fashion-mnist")
    assert [len(getattr(loaded, f"x_{part}")) for part in PARTS] == [50000, 10000, 10000]
    labels = np.concatenate([loaded.y_train, loaded.y_validation])
    assert set(np.bincount(labels)) == {6000} and set(np.bincount(loaded.y_test)) == {1000}
    assert (loaded.y_test[:5] == [9, 2, 1, 1, 6]).all()  # ankle boot, pullover, trouser, trouser, shirt
    pixels = np.concatenate([loaded.x_train, loaded.x_validation]) / 255
    assert abs(pixels.mean(dtype=float) - 0.2860) < 5e-5 and abs(pixels.std(dtype=float) - 0.3530) < 5e-5


@needs_the_real_files
def test_the_checksums_are_those_of_the_published_files():
    """Debian's files are the published ones but for the name and date that gzip keeps: put back, the sums must fit."""
    dates = dict(zip(STEMS, (1504176606, 1504176606, 1504176627, 1504176627)))
    for stem, date in dates.items():
        head, rest = (REAL / f"{stem}.gz").read_bytes()[:10], (REAL / f"{stem}.gz").read_bytes()[10:]
        if head[3] != 0:
            pytest.skip("this system's files were packed in another way than Debian's")
        as_published = head[:3] + b"\x08" + struct.pack("<I", date) + head[8:] + stem.encode() + b"\0" + rest
        assert sha256(as_published) == THE_FILES[f"{stem}.gz"][0]
