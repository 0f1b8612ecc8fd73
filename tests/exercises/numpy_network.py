"""Answers to the exercises of numpy-network as readers write them, right and wrong."""

import numpy as np


def probabilities(scores):
    p = np.exp(
        scores
        - np.log(np.exp(scores - scores.max(1, keepdims=True)).sum(1, keepdims=True))
        - scores.max(1, keepdims=True)
    )
    return p


RIGHT = [
    ("linear_gradients", lambda dy, x, w: [np.einsum("no,oi->ni", dy, w), np.einsum("no,ni->oi", dy, x), sum(dy)]),
    ("score_gradient", lambda s, y: ((probabilities(s) - np.eye(s.shape[1])[y]) / len(y)).tolist()),
    ("momentum_step", lambda w, g, v, lr, m, d: (w * (1 - lr * d) - lr * (g + m * v), g + d * w + m * v)),
]

WRONG = [
    ("linear_gradients", "weight transposed", lambda dy, x, w: (np.dot(dy, w), np.einsum("ni,no->io", x, dy), sum(dy))),
    (
        "linear_gradients",
        "weight and bias divided",
        lambda dy, x, w: (dy @ w, np.einsum("no,ni->oi", dy, x) / len(dy), sum(dy) / len(dy)),
    ),
    ("linear_gradients", "bias divided", lambda dy, x, w: [dy @ w, np.einsum("no,ni->oi", dy, x), sum(dy) / len(dy)]),
    (
        "linear_gradients",
        "bias over outputs",
        lambda dy, x, w: [dy @ w, np.einsum("no,ni->oi", dy, x), np.einsum("no->n", dy)],
    ),
    (
        "linear_gradients",
        "x through the transpose",
        lambda dy, x, w: (np.einsum("no,io->ni" if len(w) == len(w.T) else "no,oi->ni", dy, w), dy.T.dot(x), sum(dy)),
    ),
    ("score_gradient", "not divided by N", lambda s, y: probabilities(s) - np.eye(s.shape[1])[y]),
    ("score_gradient", "sign reversed", lambda s, y: (np.eye(s.shape[1])[y] - probabilities(s)) / len(s)),
    ("score_gradient", "truth missing", lambda s, y: probabilities(s) / len(s)),
    ("score_gradient", "divided by classes", lambda s, y: (probabilities(s) - np.eye(s.shape[1])[y]) / s.shape[1]),
    ("score_gradient", "softmax over the batch", lambda s, y: (probabilities(s.T).T - np.eye(s.shape[1])[y]) / len(s)),
    (
        "score_gradient",
        "overflow",
        lambda s, y: (1 / (1 / np.exp(s) * np.exp(s).sum(1)[:, None]) - np.eye(s.shape[1])[y]) / len(s),
    ),
    (
        "momentum_step",
        "an average",
        lambda w, g, v, lr, m, d: (w - lr * (v + (1 - m) * (g + d * w - v)), v + (1 - m) * (g + d * w - v)),
    ),
    (
        "momentum_step",
        "momentum weighs the gradient",
        lambda w, g, v, lr, m, d: (w - lr * (v + m * g + m * d * w), v + m * g + m * d * w),
    ),
    ("momentum_step", "decay missing", lambda w, g, v, lr, m, d: (w - lr * (g + m * v), g + m * v)),
    ("momentum_step", "decay beside", lambda w, g, v, lr, m, d: ((1 - lr * d) * w - lr * (g + m * v), g + m * v)),
    (
        "momentum_step",
        "rate inside",
        lambda w, g, v, lr, m, d: (w - m * v - lr * g - lr * d * w, m * v + lr * g + lr * d * w),
    ),
    ("momentum_step", "uphill", lambda w, g, v, lr, m, d: ((1 + lr * d) * w + lr * (g + m * v), g + m * v + d * w)),
]
