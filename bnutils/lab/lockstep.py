"""Networks of one shape, trained side by side.

Every array has a leading axis of *lanes*. A lane is one network with its own seed and its own settings (learning rate,
with or without batch normalization); lanes share nothing but the shape, the activation and the number of steps. One
matrix product serves all of them, which on a CPU is several times faster than one network after the other.

In each lane, with h of shape (images, units)::

    u = h @ W                      the sums of a layer
    z = u + shift                  without batch normalization: shift is the bias b
    z = gamma * x_hat(u) + shift   with it: x_hat is u standardised over the batch, shift is the beta of the layer
    h = activation(z)              what the layer passes on

A bias before batch normalization would be subtracted again, so one shift a unit serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn import functional as F

from .. import data, device

ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "identity": lambda z: z}
EPS, MOMENTUM = 1e-5, 0.1  # PyTorch's


@dataclass
class Network:
    """The parameters of all lanes, one tensor a layer, each with the lanes on its first axis.

    Of L hidden layers, ``weights`` and ``shifts`` have L + 1 tensors, the last for the logits; the others have L.
    ``activation`` is a name among ``ACTIVATIONS``, and ``norm`` says which lanes have batch normalization before every
    activation. In these a shift is the beta of the layer, in the others a bias; gammas are there in all lanes, and a
    lane without batch normalization never uses them. Means and variances are running averages of the statistics of u.
    """

    activation: str
    norm: Tensor  # (lanes,) bool
    weights: list[Tensor]  # (lanes, inputs, units) each
    shifts: list[Tensor]  # (lanes, units) each, as all below
    gammas: list[Tensor]
    means: list[Tensor]
    variances: list[Tensor]

    def parameters(self) -> list[Tensor]:
        """What is trained: weights, then shifts, then gammas, each from the first layer on."""
        return [*self.weights, *self.shifts, *self.gammas]

    def copy(self) -> Network:
        """A network that shares no memory with this one."""
        lists = {name: [t.clone() for t in getattr(self, name)] for name in _LISTS}
        return Network(self.activation, self.norm.clone(), **lists)


_LISTS = ("weights", "shifts", "gammas", "means", "variances")


class Signals(NamedTuple):
    """What flows through the hidden layers, one (lanes, images, units) tensor a layer, and the logits."""

    sums: list[Tensor]  # u, what the weights give
    inputs: list[Tensor]  # z, what the activation receives
    outputs: list[Tensor]  # h, what the layer passes on
    logits: Tensor  # (lanes, images, classes)


class View(NamedTuple):
    """What a ``watch`` function is shown: a step as it is about to be made."""

    step: int  # steps made before it
    net: Network  # before the update; copy what is to be kept
    x: Tensor  # the batch, (lanes, size, features)
    y: Tensor  # its labels, (lanes, size)
    rate: Tensor  # (lanes,)
    signals: Signals  # of the batch, in training mode
    loss: Tensor  # (lanes,)
    gradients: list[Tensor]  # in the order of net.parameters()


class Dealt(NamedTuple):
    """A data set as every lane sees it: the split of its own seed, inputs (lanes, n, features), labels (lanes, n)."""

    x_train: Tensor
    y_train: Tensor
    x_validation: Tensor
    y_validation: Tensor
    x_test: Tensor
    y_test: Tensor


def cross(**settings: Sequence) -> dict[str, np.ndarray]:
    """Every combination of the settings, one a lane.

    Parameters
    ----------
    **settings
        by name the values to try, such as ``norm=(False, True), rate=(0.1, 1), seed=range(5)``

    Returns
    -------
    dict
        by name one value a lane, (lanes,). The last setting changes fastest: what a lane gave can be reshaped to the
        numbers of values, here (2, 2, 5)
    """
    if not settings or not all(len(values) for values in settings.values()):
        raise ValueError(f"expected one or more values for each setting, got {settings or 'no setting'}")
    columns = zip(*product(*settings.values()))
    return {name: np.array(column) for name, column in zip(settings, columns)}


def deal(name: str, seeds: Iterable[int], *, dtype: torch.dtype = torch.float32) -> Dealt:
    """A standardised data set on the book's device, split for each lane by its seed (see `bnutils.data.load`)."""
    seeds = _seeds(seeds)
    loaded = {seed: data.load(name, standardise=True, seed=seed) for seed in set(seeds)}

    def stacked(part):
        parts = torch.from_numpy(np.stack([getattr(loaded[seed], part) for seed in seeds]))
        return parts.to(device.choose(), dtype if parts.is_floating_point() else parts.dtype)

    return Dealt(*(stacked(part) for part in Dealt._fields))


def network(
    sizes: Sequence[int],
    seeds: Iterable[int],
    *,
    norm: ArrayLike,
    activation: str = "sigmoid",
    deviation: float | str = "xavier",
    dtype: torch.dtype = torch.float32,
) -> Network:
    """Networks of one shape with random weights, one a lane; lanes of the same seed begin with the same weights.

    Parameters
    ----------
    sizes
        sequence of int: features, units of each hidden layer, classes, as in ``(64, 100, 100, 100, 10)``
    seeds
        iterable of int: one a lane; may repeat
    norm
        bool, or one a lane: whether the lane has batch normalization before every activation
    activation : str
        ``"sigmoid"``, ``"tanh"``, ``"relu"`` or ``"identity"``
    deviation : float or str
        the standard deviation of the weights: a number for all layers, ``"xavier"`` for the root of 1 / inputs, or
        ``"he"`` for the root of 2 / inputs
    dtype : torch.dtype
        of all parameters

    Returns
    -------
    Network
        with shifts 0, gammas 1 and running statistics 0 and 1, on the book's device

    Raises
    ------
    ValueError
        sizes that are no network, a seed that is none, an unknown activation or deviation, ``norm`` of another length
    """
    seeds = _seeds(seeds)
    if len(sizes) < 3 or not all(isinstance(size, Integral) and size > 0 for size in sizes):
        raise ValueError(f"expected sizes of features, one or more hidden layers, and classes, got {tuple(sizes)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"expected an activation among {', '.join(ACTIVATIONS)}, got {activation!r}")
    rngs = [np.random.default_rng(seed) for seed in seeds]
    matrices = [
        np.stack([rng.normal(0, _deviation(deviation, inputs), (inputs, units)) for rng in rngs])
        for inputs, units in pairwise(sizes)
    ]
    place = {"dtype": dtype, "device": device.choose()}
    full = [torch.zeros(len(seeds), units, **place) for units in sizes[1:]]
    hidden = full[:-1]
    return Network(
        activation,
        _per_lane("norm", norm, seeds, torch.bool).to(place["device"]),
        [torch.from_numpy(matrix).to(**place) for matrix in matrices],
        full,
        [torch.ones_like(t) for t in hidden],
        [torch.zeros_like(t) for t in hidden],
        [torch.ones_like(t) for t in hidden],
    )


def forward(net: Network, x: Tensor, *, training: bool, update: bool = False) -> Signals:
    """Send a batch through every lane.

    Parameters
    ----------
    net
        of any number of lanes
    x
        (lanes, images, features) tensor: one batch a lane
    training : bool
        whether batch normalization takes the statistics of this batch, or the running averages
    update : bool
        whether a batch in training mode moves the running averages

    Returns
    -------
    Signals
        of all layers

    Raises
    ------
    ValueError
        a batch whose lanes or features are not those of the network; one image in training mode
    """
    expected = net.weights[0].shape[:2]
    if x.ndim != 3 or (x.shape[0], x.shape[2]) != expected:
        raise ValueError(f"expected a batch of shape ({expected[0]}, images, {expected[1]}), got {tuple(x.shape)}")
    if training and net.norm.any() and x.shape[1] < 2:
        raise ValueError("expected two or more images a batch: the standard deviation of a single one is 0")
    signals, h = Signals([], [], [], x), x
    for layer, (W, shift) in enumerate(zip(net.weights, net.shifts)):
        u = h @ W
        if layer == len(net.gammas):
            return signals._replace(logits=u + shift[:, None])
        z = _norm(net, layer, u, training, update)
        h = ACTIVATIONS[net.activation](z)
        for kept, value in zip(signals, (u, z, h)):
            kept.append(value)


def _norm(net, layer, u, training, update):
    """What the activation receives: u plus the shift, or u normalised, in the lanes that have it."""
    plain = u + net.shifts[layer][:, None]
    if not net.norm.any():
        return plain
    lanes, images, units = u.shape
    features = u.transpose(0, 1).reshape(images, lanes * units)  # every unit of every lane is a feature of its own
    keep = update or not training
    normed = F.batch_norm(
        features,
        net.means[layer].view(-1) if keep else None,
        net.variances[layer].view(-1) if keep else None,
        net.gammas[layer].reshape(-1),
        net.shifts[layer].reshape(-1),
        training,
        MOMENTUM,
        EPS,
    )
    normed = normed.view(images, lanes, units).transpose(0, 1)
    return torch.where(net.norm[:, None, None], normed, plain)


def gradients(net: Network, x: Tensor, y: Tensor, *, update: bool = False) -> tuple[Tensor, Signals, list[Tensor]]:
    """Cross-entropy of a batch in training mode, and its gradients.

    Parameters
    ----------
    net
        of any number of lanes
    x
        (lanes, images, features) tensor: one batch a lane
    y
        (lanes, images) tensor of int: its labels
    update : bool
        whether the batch moves the running averages

    Returns
    -------
    loss
        (lanes,) tensor: the mean over the batch
    signals : Signals
        of all layers
    gradients : list of tensors
        in the order of ``net.parameters()``; those of unused gammas are 0
    """
    with torch.enable_grad():
        parameters = [parameter.detach().requires_grad_() for parameter in net.parameters()]
        split = np.cumsum([len(net.weights), len(net.shifts)])
        weights, shifts, gammas = (parameters[a:b] for a, b in zip((0, *split), (*split, None)))
        copy = Network(net.activation, net.norm, weights, shifts, gammas, net.means, net.variances)
        signals = forward(copy, x, training=True, update=update)
        each = F.cross_entropy(signals.logits.flatten(0, 1), y.flatten(), reduction="none")
        loss = each.view(y.shape).mean(1)
        # lanes share no parameter, so the gradient of the sum is the gradient of each
        found = torch.autograd.grad(loss.sum(), parameters, allow_unused=True, materialize_grads=True)
    detached = Signals(*([t.detach() for t in kept] for kept in signals[:3]), signals.logits.detach())
    return loss.detach(), detached, list(found)


def step(net: Network, gradients: Sequence[Tensor], rate: Tensor) -> None:
    """One step of gradient descent in place, each lane at its own rate, (lanes,)."""
    for parameter, gradient in zip(net.parameters(), gradients, strict=True):
        parameter -= rate.view(-1, *[1] * (parameter.ndim - 1)) * gradient


def train(
    net: Network,
    x: Tensor,
    y: Tensor,
    *,
    seeds: Iterable[int],
    rate: ArrayLike,
    steps: int,
    size: int,
    watch: Callable[[View], Any] | None = None,
    at: Collection[int] = (),
) -> np.ndarray:
    """Train every lane in place, by plain stochastic gradient descent on the cross-entropy.

    Parameters
    ----------
    net
        what `network` gave; is changed
    x
        (lanes, n, features) tensor: the training images of each lane
    y
        (lanes, n) tensor of int: their labels
    seeds
        iterable of int: one a lane, of the order of the images: shuffled anew in each epoch, cut into batches; lanes of
        one seed see the same batches
    rate
        float, or one a lane: the learning rate
    steps, size : int
        how many batches, and of how many images
    watch
        callable: is given a `View` of each step in ``at``, before the step is made
    at
        collection of int: steps from 0 to ``steps - 1``

    Returns
    -------
    array
        (steps, lanes), the loss of every batch before its step

    Raises
    ------
    ValueError
        settings that do not fit: lanes, steps, batches larger than the data; ``watch`` without ``at`` or the reverse
    """
    seeds = _seeds(seeds)
    lanes, n = y.shape
    if len(net.norm) != lanes or len(seeds) != lanes:
        raise ValueError(
            f"expected as many lanes everywhere, got {len(net.norm)} networks, {lanes} data sets and {len(seeds)} seeds"
        )
    if not isinstance(steps, Integral) or steps < 1 or not isinstance(size, Integral) or not 1 <= size <= n:
        raise ValueError(f"expected 1 or more steps and batches of 1 to {n} images, got {steps} and {size}")
    if (watch is None) != (len(at) == 0):
        raise ValueError("expected watch and the steps it watches together, as in watch=look, at=range(0, 1000, 50)")
    if strange := sorted(set(at) - set(range(steps))):
        raise ValueError(f"expected steps to watch from 0 to {steps - 1}, got {strange}")
    rate = _per_lane("rate", rate, seeds, net.weights[0].dtype).to(x.device)
    at, lane, losses = set(at), torch.arange(lanes, device=x.device)[:, None], []
    for made, rows in enumerate(_orders(seeds, n, steps, size)):
        rows = torch.from_numpy(rows).to(x.device)
        x_batch, y_batch = x[lane, rows], y[lane, rows]
        loss, signals, found = gradients(net, x_batch, y_batch, update=True)
        losses.append(loss)
        if made in at:
            watch(View(made, net, x_batch, y_batch, rate, signals, loss, found))
        step(net, found, rate)
    return torch.stack(losses).cpu().numpy()


def _orders(seeds, n, steps, size):
    """Rows of the batches, (lanes, size) a step; what does not fill a batch at the end of an epoch is left out."""
    rngs = {seed: np.random.default_rng((seed, 1)) for seed in seeds}  # not the stream of the weights
    per_epoch = n // size
    for made in range(steps):
        if made % per_epoch == 0:
            orders = {seed: rng.permutation(n) for seed, rng in rngs.items()}
        start = made % per_epoch * size
        yield np.stack([orders[seed][start : start + size] for seed in seeds])


def accuracy(net: Network, x: Tensor, y: Tensor) -> np.ndarray:
    """The share of images classified right with the running averages, (lanes,); of a lane that diverged, 0."""
    logits = forward(net, x, training=False).logits
    right = (logits.argmax(2) == y) & logits.isfinite().all(2)
    return right.double().mean(1).cpu().numpy()


def _seeds(seeds):
    seeds = list(seeds)
    if not seeds or any(isinstance(s, bool) or not isinstance(s, Integral) or s < 0 for s in seeds):
        raise ValueError(f"expected one integer seed of 0 or more for each lane, got {seeds}")
    return [int(seed) for seed in seeds]


def _per_lane(name, values, seeds, dtype):
    values = np.broadcast_to(values, len(seeds)) if np.ndim(values) == 0 else np.asarray(values)
    if values.shape != (len(seeds),):
        raise ValueError(f"expected one {name} or {len(seeds)}, one a lane, got shape {values.shape}")
    if dtype is torch.bool and values.dtype != bool:
        raise ValueError(f"expected {name} to be True or False in each lane, got {values.dtype}")
    if dtype is not torch.bool and not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(f"expected each {name} to be finite and not negative, got {values}")
    return torch.tensor(values.copy(), dtype=dtype)


def _deviation(given, inputs):
    if isinstance(given, str):
        if given not in ("xavier", "he"):
            raise ValueError(f"expected a deviation that is a number, 'xavier' or 'he', got {given!r}")
        return np.sqrt((1 if given == "xavier" else 2) / inputs)
    if not np.isfinite(given) or given < 0:
        raise ValueError(f"expected a standard deviation of 0 or more, got {given}")
    return given
