"""Stochastic gradient descent, and a loop that trains any network of ``network`` on any batches."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from . import layers
from .network import LayerLike


class SGD:
    """Stochastic gradient descent with momentum and weight decay, by PyTorch's rule.

    g = gradient + weight_decay * w;  velocity = momentum * velocity + g;  w = w - lr * velocity.

    The velocity starts at 0, so the first step is -lr * g whatever the momentum; steps in one direction add up to
    1 / (1 - momentum) of it. The dict ``velocity`` has the names of ``network.parameters``. Weight decay is applied to
    every parameter, biases, gamma and beta too.

    Parameters
    ----------
    network
        what is trained: an object with ``parameters`` and ``gradients``
    lr : float
        the learning rate, 0 or more; may be changed between steps: ``sgd.lr = 0.01``
    momentum : float
        what is kept of the velocity, from 0 to below 1
    weight_decay : float
        pull towards 0, 0 or more

    Raises
    ------
    ValueError
        numbers outside these ranges
    """

    def __init__(self, network: LayerLike, lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        if not 0 <= lr < math.inf:
            raise ValueError(f"expected a learning rate of 0 or more, got lr={lr}")
        if not 0 <= momentum < 1:
            raise ValueError(f"expected a momentum from 0 to below 1, got {momentum}: with 1 the velocity would grow "
                             "for ever")
        if not 0 <= weight_decay < math.inf:
            raise ValueError(f"expected a weight_decay of 0 or more, got {weight_decay}")
        self.network, self.lr, self.momentum, self.weight_decay = network, lr, momentum, weight_decay
        self.velocity = {}

    def step(self) -> None:
        """Move every parameter, in place, by the gradients of the last backward pass.

        Raises
        ------
        ValueError
            a parameter without a gradient
        """
        gradients = self.network.gradients
        for name, w in self.network.parameters.items():
            if name not in gradients:
                raise ValueError(f"expected a gradient for parameter {name}, got none; call network.backward(dy) first")
            g = gradients[name] + self.weight_decay * w
            self.velocity[name] = self.momentum * self.velocity.get(name, 0) + g
            w -= self.lr * self.velocity[name]


@dataclass
class History:
    """What a training run saw, two lists with one number a step, of the batch and before the step that it led to.

    ``loss`` is the mean cross-entropy in nats, ``accuracy`` the share of the batch that was classified right, 0 to 1.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)


def batches(x: np.ndarray, y: np.ndarray, size: int, rng: np.random.Generator, *,
            drop_last: bool = False) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch: every example once, in a random order, ``size`` at a time.

    Parameters
    ----------
    x, y
        arrays of one length: inputs and labels
    size : int
        examples a batch, 1 or more; what does not fill one comes last, as a smaller batch
    rng
        NumPy random generator; draws the order, at once: each call is a new epoch
    drop_last : bool
        leave the smaller batch out; batch normalization refuses one of a single example

    Returns
    -------
    iterator
        of pairs ``(x, y)``

    Raises
    ------
    ValueError
        lengths that differ, a size below 1, or one that leaves no batch
    """
    x, y = np.asarray(x), np.asarray(y)
    if len(x) != len(y):
        raise ValueError(f"expected one label an example, got {len(x)} examples and {len(y)} labels")
    if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
        raise ValueError(f"expected a batch size as an integer of 1 or more, got {size!r}")
    order = rng.permutation(len(x))
    stop = len(x) // size * size if drop_last else len(x)
    if stop == 0:
        raise ValueError(f"expected one batch or more, got none: {len(x)} examples, size={size}, drop_last={drop_last}")
    return ((x[rows], y[rows]) for rows in (order[start:start + size] for start in range(0, stop, size)))


def train(network: LayerLike, sgd: SGD, batches: Iterable[tuple[np.ndarray, np.ndarray]],
          history: History | None = None) -> History:
    """One step a batch: forward, loss, backward, step.

    Parameters
    ----------
    network
        with ``forward(x, training)`` and ``backward(dy)``
    sgd : SGD
        of this network
    batches
        any iterable of pairs ``(x, y)``, for example ``tqdm(list(batches(...)))``
    history : History
        to go on with; if not given, a new one

    Returns
    -------
    History
        with one entry more a batch

    Raises
    ------
    FloatingPointError
        a loss that is infinite or not a number; the parameters stay as they were before that step, the running
        statistics have already seen its batch
    ValueError
        an ``sgd`` of another network, and what a layer or the loss refuses
    """
    if sgd.network is not network:
        raise ValueError("expected an SGD of this network, got one of another: its steps would leave this one as it is")
    history = History() if history is None else history
    for x, y in batches:
        with np.errstate(over="ignore", invalid="ignore"):   # what they would warn of shows in the loss
            scores = network.forward(x, training=True)
            loss, cache = layers.softmax_cross_entropy(scores, y)
        if not np.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at step {len(history.loss)}, counted from 0, "
                                     f"{_before(history)}; try a learning rate below {sgd.lr:g}, and look for inputs "
                                     "that are not finite")
        network.backward(layers.softmax_cross_entropy_backward(cache))
        sgd.step()
        history.loss.append(float(loss))
        history.accuracy.append(_share(scores, y))
    return history


def accuracy(network: LayerLike, x: np.ndarray, y: np.ndarray) -> float:
    """The share of examples classified right, at inference: the network stays as it was, its running statistics too.

    Parameters
    ----------
    network
        with ``forward(x, training)``
    x
        float array of examples, one or more
    y
        (N,) integers: the right classes

    Returns
    -------
    float
        0 to 1

    Raises
    ------
    ValueError
        labels that do not fit, and what a layer refuses
    FloatingPointError
        scores that are not numbers: their largest is no answer
    """
    scores = network.forward(x, training=False)
    labels = layers._labels(y, *scores.shape)
    if lost := int(np.isnan(scores).any(1).sum()):
        raise FloatingPointError(f"expected scores that are numbers, got NaN for {lost} of {len(scores)} examples; "
                                 "look at the inputs, the parameters and the running statistics")
    return _share(scores, labels)


def _share(scores, labels):
    return float((scores.argmax(1) == labels).mean())


def _before(history):
    return f"and was {history.loss[-1]:.3g} before" if history.loss else "the first"
