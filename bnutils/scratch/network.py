"""Layers with a memory: each holds its parameters, and what its backward pass needs of the last forward pass.

The mathematics is in ``layers``, ``convolution`` and ``norm``; here is only the bookkeeping. Every layer has

- ``forward(x, training)``: the output; ``training`` is for layers that do something else at inference, and always said;
- ``backward(dy)``: the gradient by the input of the last forward pass; those by the parameters go to ``gradients``;
- ``parameters`` and ``gradients``: dicts of arrays under the same names; the parameters are the arrays themselves.

``Sequential`` is a layer too. ``BatchNorm`` is here too; it is explained in ``running``. All chance comes from the
generator that is passed in: two networks built with the same seed are equal to the last bit.
"""

import contextlib
import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike

from . import convolution, layers
from .running import BatchNorm as BatchNorm  # so that a network is built from one module

HE = math.sqrt(2)                                            # keeps the mean square of activations behind a ReLU


@runtime_checkable
class LayerLike(Protocol):
    """Anything with the four parts of a layer."""

    parameters: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]
    forward: Callable[[np.ndarray, bool], np.ndarray]
    backward: Callable[[np.ndarray], np.ndarray]


class Layer:
    """A pair of functions and its cache. A layer of your own gives the two functions, and the names of its parameters.

    ``_function(x)`` returns ``(y, cache)``. ``_gradient(dy, cache)`` returns dx; where there are ``_names``, a tuple of
    dx and a gradient for each of them. The dict ``gradients`` holds those of the last ``backward``, under the names of
    ``parameters``; it is empty before.
    """

    _names = ()

    def __init__(self):
        self.gradients, self._cache = {}, None

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The learned arrays by name, not copies, so that a step in place moves them. A bias of None is left out."""
        return {name: getattr(self, name) for name in self._names if getattr(self, name) is not None}

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The output, an array; the cache is kept for ``backward``.

        Parameters
        ----------
        x
            float array
        training : bool
            makes no difference here

        Returns
        -------
        array

        Raises
        ------
        ValueError
            what the function of the layer refuses
        """
        y, self._cache = self._function(x)
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient of the last ``forward``; those by the parameters replace the ones in ``gradients``.

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
        gradients = self._gradient(dy, self._cache)
        if not self._names:
            return gradients
        dx, *rest = gradients
        self.gradients = {name: value for name, value in zip(self._names, rest) if value is not None}
        return dx


class Linear(Layer):
    """Weighted sums of the features; see ``layers.linear``.

    Parameters
    ----------
    in_features, out_features : int
        columns of the input and of the output
    rng
        NumPy random generator; draws the weights: normal, of mean 0 and standard deviation
        ``scale / sqrt(in_features)``
    bias : bool
        whether to add one number an output, 0 at the start
    scale : float
        sqrt(2) is He's choice for layers behind a ReLU, 1 keeps the variance of a layer without one
    dtype
        of the parameters; the output has the dtype of the input

    Raises
    ------
    ValueError
        sizes below 1
    """

    _names = ("weight", "bias")

    def __init__(self, in_features: int, out_features: int, rng: np.random.Generator, *, bias: bool = True,
                 scale: float = HE, dtype: DTypeLike = float):
        super().__init__()
        self.weight, self.bias = _draw((out_features, in_features), rng, bias, scale, dtype)

    def _function(self, x):
        return layers.linear(x, self.weight, self.bias)

    _gradient = staticmethod(layers.linear_backward)


class Conv2d(Layer):
    """A kernel that slides over images; see ``convolution.conv2d``.

    Parameters
    ----------
    in_channels, out_channels : int
        of the input and of the output
    kernel_size : int
        its side, in pixels
    rng
        NumPy random generator; draws the weights: normal, of mean 0 and standard deviation
        ``scale / sqrt(in_channels * kernel_size**2)``
    stride, padding, layout
        as in ``convolution.conv2d``
    bias, scale, dtype
        as in ``Linear``

    Raises
    ------
    ValueError
        sizes below 1
    """

    _names = ("weight", "bias")

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, rng: np.random.Generator, *,
                 stride: int = 1, padding: int = 0, bias: bool = True, scale: float = HE, layout: str = "NCHW",
                 dtype: DTypeLike = float):
        super().__init__()
        self.stride, self.padding, self.layout = stride, padding, layout
        self.weight, self.bias = _draw((out_channels, in_channels, kernel_size, kernel_size), rng, bias, scale, dtype)

    def _function(self, x):
        return convolution.conv2d(x, self.weight, self.bias, stride=self.stride, padding=self.padding,
                                  layout=self.layout)

    _gradient = staticmethod(convolution.conv2d_backward)


class ReLU(Layer):
    """max(x, 0); see ``layers.relu``."""

    _function, _gradient = staticmethod(layers.relu), staticmethod(layers.relu_backward)


class Sigmoid(Layer):
    """1 / (1 + e^-x); see ``layers.sigmoid``."""

    _function, _gradient = staticmethod(layers.sigmoid), staticmethod(layers.sigmoid_backward)


class Tanh(Layer):
    """The hyperbolic tangent; see ``layers.tanh``."""

    _function, _gradient = staticmethod(layers.tanh), staticmethod(layers.tanh_backward)


class Flatten(Layer):
    """Every example as one row; see ``layers.flatten``."""

    _function, _gradient = staticmethod(layers.flatten), staticmethod(layers.flatten_backward)


class MaxPool2d(Layer):
    """The largest value of every square of pixels; see ``convolution.max_pool2d``.

    Parameters
    ----------
    size : int
        pixels along a side
    layout : str
        ``"NCHW"`` or ``"NHWC"``
    """

    def __init__(self, size: int, *, layout: str = "NCHW"):
        super().__init__()
        self.size, self.layout = size, layout

    def _function(self, x):
        return convolution.max_pool2d(x, self.size, layout=self.layout)

    _gradient = staticmethod(convolution.max_pool2d_backward)


class Sequential:
    """Layers in a row, each given what the one before returned. A layer itself; ``layers`` is the tuple of its parts.

    Parameters
    ----------
    *layers
        anything with ``forward``, ``backward``, ``parameters`` and ``gradients``

    Raises
    ------
    ValueError
        something that is not a layer, or one layer twice: it has one memory, and its first pass would be overwritten
    """

    def __init__(self, *layers: LayerLike):
        for place, layer in enumerate(layers):
            if not isinstance(layer, LayerLike) or isinstance(layer, type):
                raise ValueError(f"expected layers, got {layer!r} as layer {place}; a layer is an object, like ReLU()")
            if any(layer is other for other in layers[:place]):
                raise ValueError(f"expected each layer once, got the one at {place} ({type(layer).__name__}) twice; "
                                 "make a second one")
        self.layers = layers

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """All parameters. Names begin with the place of the layer, as in PyTorch, ``"0.weight"``, ``"1.gamma"``."""
        return self._all("parameters")

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of the last ``backward``, under the same names."""
        return self._all("gradients")

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        """Every layer in turn.

        Parameters
        ----------
        x
            float array that fits the first layer
        training : bool
            handed to every layer: True normalises by the batch, False by the running statistics

        Returns
        -------
        array
            what the last layer returned

        Raises
        ------
        ValueError
            what a layer refuses, with its place, from 0, and its class in front
        """
        for place, layer in enumerate(self.layers):
            with _named(place, layer):
                x = layer.forward(x, training)
        return x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Every layer in turn, from the last to the first.

        Parameters
        ----------
        dy
            array like what ``forward`` returned: the upstream gradient

        Returns
        -------
        array
            the gradient by what ``forward`` was given

        Raises
        ------
        ValueError
            as ``forward``
        """
        for place, layer in reversed(list(enumerate(self.layers))):
            with _named(place, layer):
                dy = layer.backward(dy)
        return dy

    def _all(self, part):
        return {f"{place}.{name}": value
                for place, layer in enumerate(self.layers) for name, value in getattr(layer, part).items()}


@contextlib.contextmanager
def _named(place, layer):
    """Puts a layer's place and class in front of its errors."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"layer {place} ({type(layer).__name__}): {error}") from error


def _draw(shape, rng, bias, scale, dtype):
    """Weights of a standard deviation of scale / sqrt(inputs of one output), and biases of 0 or None."""
    if min(shape) < 1:
        raise ValueError(f"expected sizes of 1 or more, got a weight of shape {shape}")
    std = scale / math.sqrt(math.prod(shape[1:]))
    weight = rng.normal(0, std, shape).astype(dtype)
    return weight, np.zeros(shape[0], dtype) if bias else None
