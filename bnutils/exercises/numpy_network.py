"""Exercises of the chapter on a network in NumPy."""

import numpy as np

from .engine import Case, Mistake, exercise


def _linear_cases():
    rng = np.random.default_rng(60)
    return [
        Case(f"{n} examples, {i} inputs, {o} outputs", tuple(rng.normal(size=s) for s in ((n, o), (n, i), (o, i))))
        for n, i, o in ((6, 5, 3), (4, 4, 4))
    ]


@exercise(
    "the gradients of x, weight and bias are dy W, dy^T x and the sum of dy over the batch.",
    _linear_cases(),
    Mistake(
        "weight transposed",
        "the gradient of the weight is transposed. weight is (out, in), so its gradient is dy.T @ x.",
        lambda dy, x, weight: (dy @ weight, x.T @ dy, dy.sum(0)),
    ),
    Mistake(
        "weight and bias divided",
        "the gradients of weight and bias are divided by the batch size. The loss has divided already: dy carries the "
        "1/N.",
        lambda dy, x, weight: (dy @ weight, dy.T @ x / len(x), dy.mean(0)),
    ),
    Mistake(
        "bias divided",
        "only the gradient of the bias is divided by the batch size. It is a sum over the batch, like that of the "
        "weight.",
        lambda dy, x, weight: (dy @ weight, dy.T @ x, dy.mean(0)),
    ),
    Mistake(
        "bias over outputs",
        "the gradient of the bias sums over the outputs. There is one bias an output: sum over the batch, axis 0.",
        lambda dy, x, weight: (dy @ weight, dy.T @ x, dy.sum(1)),
    ),
    Mistake(
        "x through the transpose",
        "x goes back through the transposed weight. Forward is x W^T, so backward is dy W.",
        lambda dy, x, weight: (
            dy @ weight.T if weight.shape[0] == weight.shape[1] else dy @ weight,
            dy.T @ x,
            dy.sum(0),
        ),
    ),
)
def linear_gradients(dy: np.ndarray, x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of x (N, I), weight (O, I) and bias (O,) of a linear layer, given ``dy`` (N, O)."""
    return dy @ weight, dy.T @ x, dy.sum(0)


def _softmax(scores):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _truth(scores, labels):
    return (np.arange(scores.shape[1]) == labels[:, None]).astype(float)


def _score_cases():
    rng = np.random.default_rng(61)
    return (
        Case("5 examples, 4 classes", (rng.normal(size=(5, 4)), rng.integers(0, 4, 5))),
        Case(
            "3 examples, 10 classes, scores up to about 1000", (500 * rng.normal(size=(3, 10)), rng.integers(0, 10, 3))
        ),
    )


@exercise(
    "the gradient of the mean cross-entropy is probability minus truth, over N, at any size of the scores.",
    _score_cases(),
    Mistake(
        "not divided by N",
        "not divided by the batch size. The loss is a mean over the batch, so its gradient carries 1/N.",
        lambda scores, labels: _softmax(scores) - _truth(scores, labels),
    ),
    Mistake(
        "sign reversed",
        "the sign is reversed. A score too high costs: the gradient is probability minus truth.",
        lambda scores, labels: (_truth(scores, labels) - _softmax(scores)) / len(labels),
    ),
    Mistake(
        "truth missing",
        "the truth is missing. These are the probabilities; subtract 1 at the right class.",
        lambda scores, labels: _softmax(scores) / len(labels),
    ),
    Mistake(
        "divided by classes",
        "divided by the number of classes. The loss is a mean over the examples.",
        lambda scores, labels: (_softmax(scores) - _truth(scores, labels)) / scores.shape[1],
    ),
    Mistake(
        "softmax over the batch",
        "softmax over the batch. The probabilities of one example sum to one: axis 1.",
        lambda scores, labels: (_softmax(scores.T).T - _truth(scores, labels)) / len(labels),
    ),
    Mistake(
        "overflow",
        "exp overflows at large scores and leaves nan. Subtract the largest score of each example first.",
        lambda scores, labels: (
            (np.exp(scores) / np.exp(scores).sum(1, keepdims=True) - _truth(scores, labels)) / len(labels)
        ),
    ),
)
def score_gradient(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean cross-entropy by the ``scores``, both (N, K); ``labels`` are N integers."""
    return (_softmax(scores) - _truth(scores, labels)) / len(labels)


def _step_cases():
    rng = np.random.default_rng(62)
    w, g, v = rng.normal(size=(3, 4))
    return (
        Case("velocity 0, momentum 0.9, no decay", (w, g, np.zeros(4), 0.1, 0.9, 0.0)),
        Case("a velocity, momentum 0.9, decay 0.01", (w, g, v, 0.1, 0.9, 0.01)),
        Case("a velocity, momentum 0.5, decay 0.3", (w, g, v, 0.2, 0.5, 0.3)),
    )


def _stepped(w, v, lr):
    return w - lr * v, v


@exercise(
    "momentum sums gradients, decay enters the gradient, the learning rate stays outside: PyTorch's SGD.",
    _step_cases(),
    Mistake(
        "an average",
        "the new gradient is weighted with 1 - momentum. That is an average; PyTorch's velocity is a sum.",
        lambda w, g, v, lr, momentum, decay: _stepped(w, momentum * v + (1 - momentum) * (g + decay * w), lr),
    ),
    Mistake(
        "momentum weighs the gradient",
        "momentum weighs the new gradient. It weighs the old velocity: v = momentum * v + g.",
        lambda w, g, v, lr, momentum, decay: _stepped(w, v + momentum * (g + decay * w), lr),
    ),
    Mistake(
        "decay missing",
        "the weight decay is missing. It adds decay * w to the gradient.",
        lambda w, g, v, lr, momentum, decay: _stepped(w, momentum * v + g, lr),
    ),
    Mistake(
        "decay beside",
        "the weight decay is taken off the weight, beside the velocity. In PyTorch's SGD it goes into the velocity, "
        "as part of the gradient; beside it is what AdamW does.",
        lambda w, g, v, lr, momentum, decay: (w - lr * (momentum * v + g) - lr * decay * w, momentum * v + g),
    ),
    Mistake(
        "rate inside",
        "the learning rate is inside the velocity. It multiplies the step only, so that it can change later.",
        lambda w, g, v, lr, momentum, decay: (
            w - (momentum * v + lr * (g + decay * w)),
            momentum * v + lr * (g + decay * w),
        ),
    ),
    Mistake(
        "uphill",
        "the weight moves along the gradient. Descent moves against it: w - lr * v.",
        lambda w, g, v, lr, momentum, decay: (w + lr * (momentum * v + g + decay * w), momentum * v + g + decay * w),
    ),
)
def momentum_step(
    w: np.ndarray, g: np.ndarray, v: np.ndarray, lr: float, momentum: float, decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new weight and the new velocity, like weight ``w``, gradient ``g`` and velocity ``v`` of one shape."""
    return _stepped(w, momentum * v + g + decay * w, lr)
