"""Batch normalization as a layer: the statistics of past batches, kept for the time when there is no batch.

In training a batch is normalised by its own statistics, and averages of them are kept. At inference the averages take
their place, and the layer is a fixed affine map. Ioffe & Szegedy (2015), Algorithm 2; the conventions are PyTorch's.
"""

import math

import numpy as np
from numpy.typing import DTypeLike

from . import norm


def update(average: np.ndarray, new: np.ndarray, momentum: float | None, count: int) -> np.ndarray:
    """One step of a running average: ``(1 - momentum) * average + momentum * new``.

    ``momentum`` is the weight of the new value, as in PyTorch. TensorFlow and Keras use the word for the weight of the
    old one: their 0.99 is 0.01 here.

    Parameters
    ----------
    average, new
        arrays of one shape: the average so far, and the value that comes in
    momentum : float or None
        from 0 to 1; None for the plain average of all values, the ``count``-th of which has the weight 1 / ``count``
    count : int
        values averaged including this one, 1 or more; only ``momentum=None`` looks at it

    Returns
    -------
    array
        the new average; its inputs are left as they were
    """
    weight = 1 / count if momentum is None else momentum
    return (1 - weight) * average + weight * new


class BatchNorm:
    """Batch normalization with running statistics.

    The batch is normalised with its biased variance, over n. ``running_var`` averages the unbiased one, over n - 1.

    ``gamma`` and ``beta`` start at 1 and 0, ``running_mean`` and ``running_var`` at 0 and 1, all of shape
    ``num_features``; ``num_batches_tracked`` counts training batches. ``gradients`` holds those of the last
    ``backward`` under the names of ``parameters``, and is empty before.

    Parameters
    ----------
    num_features : int or tuple
        the shape that remains beside ``axis``
    axis : int or tuple
        the axes averaged over, as in ``norm.batch_norm``
    eps : float
        added to the variance
    momentum : float or None
        weight of the newest batch, as in ``update``
    dtype
        of the parameters and of the running statistics; the output has the dtype of the input

    Raises
    ------
    ValueError
        a ``momentum`` outside 0 to 1
    """

    def __init__(self, num_features: int | tuple[int, ...], *, axis: int | tuple[int, ...] = 0, eps: float = 1e-5,
                 momentum: float | None = 0.1, dtype: DTypeLike = float):
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError("expected a momentum from 0 to 1, the weight of the newest batch, or None, "
                             f"got {momentum}")
        self.axis, self.eps, self.momentum = axis, eps, momentum
        self.gamma, self.beta = np.ones(num_features, dtype), np.zeros(num_features, dtype)
        self.running_mean, self.running_var = np.zeros(num_features, dtype), np.ones(num_features, dtype)
        self.num_batches_tracked = 0
        self.gradients, self._cache = {}, None

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The learned arrays ``gamma`` and ``beta`` by name, not copies, so that a step in place moves them."""
        return {"gamma": self.gamma, "beta": self.beta}

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Normalise, by the batch and with an eye on it where ``training``, else by the running statistics.

        Parameters
        ----------
        x
            float array whose shape beside ``axis`` is ``num_features``
        training : bool
            which of the two; always said, never guessed

        Returns
        -------
        array
            like ``x``

        Raises
        ------
        ValueError
            whatever ``norm.batch_norm`` or ``norm.batch_norm_inference`` refuses; the running statistics stay as they
            were
        """
        if training:
            y, cache = norm.batch_norm(x, self.gamma, self.beta, axis=self.axis, eps=self.eps)
            self._track(np.asarray(x))
        else:
            x = np.asarray(x)
            mean, var = self.running_mean, self.running_var
            y = norm.batch_norm_inference(x, mean, var, self.gamma, self.beta, axis=self.axis, eps=self.eps)
            one, zero = np.ones_like(mean), np.zeros_like(mean)
            x_hat = norm.batch_norm_inference(x, mean, var, one, zero, axis=self.axis, eps=self.eps)
            cache = x_hat, self.gamma, var, self.eps, self.axis
        self._cache = training, cache
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient of the last ``forward``; those of ``gamma`` and ``beta`` go to ``gradients``.

        After a training batch it runs through the batch statistics. After inference the statistics are constants, and
        what remains of the affine map is its slope.

        Parameters
        ----------
        dy
            array like the output: the upstream gradient

        Returns
        -------
        array
            ``dx``, like ``x``

        Raises
        ------
        ValueError
            ``dy`` not of the shape of the output, or no ``forward`` before
        """
        if self._cache is None:
            raise ValueError("expected a forward pass before backward, got none; call forward(x, training) first")
        training, cache = self._cache
        if training:
            dx, dgamma, dbeta = norm.batch_norm_backward(dy, cache)
        else:
            x_hat, gamma, var, eps, axis = cache
            dy = norm._upstream(dy, x_hat)
            zero = np.zeros_like(gamma)
            dx = norm.batch_norm_inference(dy, zero, var, gamma, zero, axis=axis, eps=eps)
            dgamma, dbeta = (dy * x_hat).sum(axis), dy.sum(axis)
        self.gradients = {"gamma": dgamma, "beta": dbeta}
        return dx

    def debiased(self) -> tuple[np.ndarray, np.ndarray]:
        """The running statistics without what is left in them of the start.

        After t batches the start has the weight k^t, k = 1 - momentum, and the batches share 1 - k^t. The mean started
        at 0: mean / (1 - k^t). The variance started at 1, which has to be taken out first: (var - k^t) / (1 - k^t).
        Both are then weighted averages of the batches alone. A plain average (``momentum=None``) has forgotten its
        start at once.

        Returns
        -------
        tuple
            ``(mean, var)``, arrays like ``running_mean``, right for a ``momentum`` that was the same in every batch

        Raises
        ------
        ValueError
            no training batch yet, or a ``momentum`` of 0, which keeps the start for ever
        """
        t = self.num_batches_tracked
        if t == 0:
            raise ValueError("expected one training batch or more, got none: the running statistics are their start, "
                             "0 and 1")
        if self.momentum == 0:
            raise ValueError("expected a momentum above 0, got 0: the running statistics are their start whatever "
                             "came in")
        start = 0.0 if self.momentum is None else (1 - self.momentum) ** t
        var = np.maximum(self.running_var - start, 0)        # rounding may leave a constant feature just below 0
        return self.running_mean / (1 - start), var / (1 - start)

    def _track(self, x):
        """The statistics of a training batch into the averages."""
        mean, var = (value.squeeze(self.axis) for value in norm.moments(x, self.axis))
        n = math.prod(x.shape[a] for a in np.atleast_1d(self.axis))
        self.num_batches_tracked += 1
        unbiased, dtype = var * (n / (n - 1)), self.running_mean.dtype
        self.running_mean = update(self.running_mean, mean, self.momentum, self.num_batches_tracked).astype(dtype)
        self.running_var = update(self.running_var, unbiased, self.momentum, self.num_batches_tracked).astype(dtype)
