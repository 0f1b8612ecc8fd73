"""Answers to the exercises of signal-propagation as readers write them, right and wrong."""

import numpy as np


def second_moment(phi, q, nodes, weights):
    """E[phi(sqrt(q) Z)^2], one node at a time."""
    return sum(w * phi(q**0.5 * x) ** 2 for x, w in zip(nodes, weights))


def walk(scale, depth, layer, matrices):
    """Factors by multiplying them up along the net: of the output, of the gradient by W, of the gradient by z."""
    out = below = above = 1.0
    for k in range(1, matrices + 1):
        out *= scale
        below *= scale if k < layer else 1
        above *= scale if k > layer else 1
    return [out, below * above, above]


RIGHT = [
    ("variance_step", lambda phi, q, omega, x, w: omega * second_moment(phi, q, x, w)),
    ("leaky_weights", lambda n, a: (n * (0.5 + a * a / 2)) ** -0.5),
    ("scaled_weights", lambda s, depth, layer: walk(s, depth, layer, depth + 1)),
]

WRONG = [
    ("variance_step", "q for its root", lambda phi, q, omega, x, w: omega * np.dot(w, np.square(phi(q * x)))),
    ("variance_step", "phi not squared", lambda phi, q, omega, x, w: omega * np.dot(w, phi(q**0.5 * x))),
    ("variance_step", "square of the mean", lambda phi, q, omega, x, w: omega * np.dot(w, phi(q**0.5 * x)) ** 2),
    (
        "variance_step",
        "variance",
        lambda phi, q, omega, x, w: omega * np.dot(w, (phi(q**0.5 * x) - np.dot(w, phi(q**0.5 * x))) ** 2),
    ),
    ("variance_step", "omega forgotten", lambda phi, q, omega, x, w: second_moment(phi, q, x, w)),
    ("variance_step", "omega squared", lambda phi, q, omega, x, w: omega * omega * second_moment(phi, q, x, w)),
    ("variance_step", "one value", lambda phi, q, omega, x, w: omega * float(phi(q**0.5)) ** 2),
    ("variance_step", "unweighted", lambda phi, q, omega, x, w: omega * np.mean(phi(q**0.5 * x) ** 2)),
    ("leaky_weights", "variance", lambda n, a: 2 / (n + n * a * a)),
    ("leaky_weights", "slope ignored", lambda n, a: (2 / n) ** 0.5),
    ("leaky_weights", "2 forgotten", lambda n, a: ((1 + a * a) * n) ** -0.5),
    ("leaky_weights", "identity", lambda n, a: n**-0.5),
    ("leaky_weights", "slope not squared", lambda n, a: (2 / n / (1 + a)) ** 0.5),
    ("leaky_weights", "upside down", lambda n, a: np.sqrt((0.5 + a * a / 2) / n)),
    ("leaky_weights", "fan_in outside the root", lambda n, a: (2 / (1 + a * a)) ** 0.5 / n),
    ("scaled_weights", "readout forgotten", lambda s, depth, layer: walk(s, depth, layer, depth)),
    ("scaled_weights", "h forgotten", lambda s, depth, layer: [walk(s, depth, layer, depth + 1)[k] for k in (0, 2, 2)]),
    ("scaled_weights", "W counted", lambda s, depth, layer: [walk(s, depth, layer, depth + 1)[k] for k in (0, 0, 2)]),
    (
        "scaled_weights",
        "matrix before",
        lambda s, depth, layer: np.multiply(walk(s, depth, layer, depth + 1), (1, 1, s)).tolist(),
    ),
    ("scaled_weights", "matrices below", lambda s, depth, layer: [s ** (depth + 1), s**depth, s**layer]),
    ("scaled_weights", "one factor", lambda s, depth, layer: (s, s, s)),
    (
        "scaled_weights",
        "added up",
        lambda s, depth, layer: np.multiply(s, [depth + 1, depth, depth + 1 - layer]).tolist(),
    ),
]
