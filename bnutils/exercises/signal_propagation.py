"""Exercises of the chapter on signal propagation."""

import math
from collections.abc import Callable

import numpy as np

from .engine import Case, Mistake, exercise


def _step_cases():
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    return (
        Case("tanh, q=0.7, omega=1.5", (np.tanh, 0.7, 1.5, nodes, weights)),
        Case("sigmoid, q=2.5, omega=4", (lambda z: 1 / (1 + np.exp(-z)), 2.5, 4.0, nodes, weights)),
        Case("ReLU, q=3, omega=0.5", (lambda z: np.maximum(z, 0), 3.0, 0.5, nodes, weights)),
    )


@exercise(
    "the mean square of the next layer's pre-activations, for any activation.",
    _step_cases(),
    Mistake(
        "q for its root",
        "q is a mean square: a Gaussian of that size is sqrt(q) times a standard one.",
        lambda phi, q, omega, nodes, weights: omega * (weights * phi(q * nodes) ** 2).sum(),
    ),
    Mistake(
        "phi not squared",
        "the mean of phi, not of its square. Weights of mean zero pass on squares only.",
        lambda phi, q, omega, nodes, weights: omega * (weights * phi(np.sqrt(q) * nodes)).sum(),
    ),
    Mistake(
        "square of the mean",
        "the square of the mean. Average phi squared: square first.",
        lambda phi, q, omega, nodes, weights: omega * (weights * phi(np.sqrt(q) * nodes)).sum() ** 2,
    ),
    Mistake(
        "variance",
        "the variance of h, with its mean subtracted. Each h is multiplied by a weight of its own, so its mean counts "
        "too.",
        lambda phi, q, omega, nodes, weights: (
            variance_step.reference(phi, q, omega, nodes, weights)
            - omega * (weights * phi(np.sqrt(q) * nodes)).sum() ** 2
        ),
    ),
    Mistake(
        "omega forgotten",
        "omega is forgotten: the weights of the next layer multiply the mean square by it.",
        lambda phi, q, omega, nodes, weights: variance_step.reference(phi, q, 1.0, nodes, weights),
    ),
    Mistake(
        "omega squared",
        "omega is a variance already (m times that of one weight). Do not square it.",
        lambda phi, q, omega, nodes, weights: variance_step.reference(phi, q, omega**2, nodes, weights),
    ),
    Mistake(
        "one value",
        "phi at one typical value, sqrt(q). The average is over all values of a Gaussian.",
        lambda phi, q, omega, nodes, weights: omega * phi(np.sqrt(q)) ** 2,
    ),
    Mistake(
        "unweighted",
        "an unweighted mean over the nodes. Far nodes are rare: weigh each with its weight.",
        lambda phi, q, omega, nodes, weights: omega * (phi(np.sqrt(q) * nodes) ** 2).mean(),
    ),
)
def variance_step(phi: Callable, q: float, omega: float, nodes: np.ndarray, weights: np.ndarray) -> float:
    """Return omega * E[phi(sqrt(q) Z)^2], a number, by quadrature with these ``nodes`` and ``weights``."""
    return omega * (weights * phi(np.sqrt(q) * nodes) ** 2).sum()


@exercise(
    "each layer keeps the mean square, and a slope of 0 gives He's rule.",
    [
        Case(f"fan_in={fan_in}, slope={slope:g}", (fan_in, slope))
        for fan_in, slope in ((50, 0.2), (128, 0.0), (300, 0.5))
    ],
    Mistake(
        "variance",
        "this is the variance. The standard deviation is asked for: take the root.",
        lambda fan_in, slope: 2 / ((1 + slope**2) * fan_in),
    ),
    Mistake(
        "slope ignored",
        "the slope is ignored: this is He's rule for the plain ReLU. The negative half passes something on too.",
        lambda fan_in, slope: math.sqrt(2 / fan_in),
    ),
    Mistake(
        "2 forgotten",
        "the 2 is forgotten: each half of a Gaussian carries half of its mean square.",
        lambda fan_in, slope: math.sqrt(1 / ((1 + slope**2) * fan_in)),
    ),
    Mistake(
        "identity",
        "this is the rule for the identity or for tanh near zero, 1/fan_in. A leaky ReLU passes on less.",
        lambda fan_in, slope: math.sqrt(1 / fan_in),
    ),
    Mistake(
        "slope not squared",
        "the slope is not squared: the negative half is multiplied by it, so its mean square by its square.",
        lambda fan_in, slope: math.sqrt(2 / ((1 + slope) * fan_in)),
    ),
    Mistake(
        "upside down",
        "upside down: what passes less needs larger weights, so (1 + slope^2)/2 divides.",
        lambda fan_in, slope: math.sqrt((1 + slope**2) / (2 * fan_in)),
    ),
    Mistake(
        "fan_in outside the root",
        "fan_in is outside the root. A sum of fan_in independent terms has fan_in times their variance.",
        lambda fan_in, slope: math.sqrt(2 / (1 + slope**2)) / fan_in,
    ),
)
def leaky_weights(fan_in: int, slope: float) -> float:
    """Return the standard deviation of weights that keep the mean square through a leaky ReLU of this ``slope``."""
    return math.sqrt(2 / ((1 + slope**2) * fan_in))


def _scaled(scale, *powers):
    return tuple(float(scale) ** power for power in powers)


@exercise(
    "the gradients of all weight matrices grow by the same factor: their ratio cannot show a wrong scale.",
    [
        Case(f"scale={scale:g}, depth={depth}, layer={layer}", (scale, depth, layer))
        for scale, depth, layer in ((0.5, 4, 1), (3.0, 6, 2), (1.5, 5, 5))
    ],
    Mistake(
        "readout forgotten",
        "the readout is forgotten: D hidden layers have D + 1 weight matrices.",
        lambda scale, depth, layer: _scaled(scale, depth, depth - 1, depth - layer),
    ),
    Mistake(
        "h forgotten",
        "the gradient of W is the product of delta and of the h below it, and h has grown too, by scale^(layer - 1).",
        lambda scale, depth, layer: _scaled(scale, depth + 1, depth + 1 - layer, depth + 1 - layer),
    ),
    Mistake(
        "W counted",
        "the gradient by W does not hold W itself as a factor: the output is linear in each matrix, with D others "
        "beside it.",
        lambda scale, depth, layer: _scaled(scale, depth + 1, depth + 1, depth + 1 - layer),
    ),
    Mistake(
        "matrix before",
        "delta of a layer is the gradient behind its matrix, not before it: only the matrices above count, D + 1 - "
        "layer.",
        lambda scale, depth, layer: _scaled(scale, depth + 1, depth, depth + 2 - layer),
    ),
    Mistake(
        "matrices below",
        "delta counts the matrices above the layer, not those up to it.",
        lambda scale, depth, layer: _scaled(scale, depth + 1, depth, layer),
    ),
    Mistake(
        "one factor",
        "one factor for all: but each of the matrices on the way multiplies once more.",
        lambda scale, depth, layer: _scaled(scale, 1, 1, 1),
    ),
    Mistake(
        "added up",
        "the factors are added up, not multiplied.",
        lambda scale, depth, layer: tuple(scale * count for count in (depth + 1, depth, depth + 1 - layer)),
    ),
)
def scaled_weights(scale: float, depth: int, layer: int) -> tuple[float, float, float]:
    """Return the factors of the output, of dL/dW and of dL/dz, three numbers, when all weights of a ReLU net grow.

    ``depth`` hidden layers and the readout are multiplied by ``scale``; W and z are those of ``layer``, from 1.
    """
    return _scaled(scale, depth + 1, depth, depth + 1 - layer)
