"""Real data as arrays, split once by a seed."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

CUTS = (1000, 1297)                                          # of 1797: 1000 to train on, 297 to validate, 500 to test


@dataclass(frozen=True, eq=False)
class Data:
    """Three parts of one data set, as read-only arrays: inputs (n, 64) in float64, labels (n,) in int64.

    ``mean`` and ``scale`` are what standardising subtracted and divided by: 0.0 and 1.0 if it was not asked for.
    """

    name: str
    x_train: object
    y_train: object
    x_validation: object
    y_validation: object
    x_test: object
    y_test: object
    mean: float
    scale: float


def load(name, *, standardise=False, seed=0):
    """Load a data set and split it by a seeded permutation.

    Optical recognition of handwritten digits, E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository. The copy
    is the one inside scikit-learn, the 1797 images of the original test set, so nothing is downloaded.

    Parameters
    ----------
    name : str
        ``"digits"``: 1797 handwritten digits, 8 by 8 pixels from 0 to 16, in ten classes
    standardise : bool
        subtract one mean and divide by one standard deviation, both those of all training pixels, in all three parts
    seed : int
        of the permutation; 0 or more

    Returns
    -------
    Data
        1000 images to train on, 297 to validate, 500 to test

    Raises
    ------
    ValueError
        an unknown name, or a seed that is not an integer of 0 or more
    """
    if name != "digits":
        raise ValueError(f"expected the name of a data set, one of 'digits', got {name!r}")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"expected an integer seed of 0 or more, got {seed!r}")
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    parts = [(x[rows].astype(np.float64), y[rows].astype(np.int64)) for rows in np.split(order, CUTS)]
    mean, scale = 0.0, 1.0
    if standardise:
        x_train = parts[0][0]
        mean, scale = float(x_train.mean()), float(x_train.std())
        parts = [((x - mean) / scale, y) for x, y in parts]
    arrays = [array for part in parts for array in part]
    for array in arrays:
        array.setflags(write=False)
    return Data(name, *arrays, mean, scale)
