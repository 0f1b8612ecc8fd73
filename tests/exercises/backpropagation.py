"""Answers to the exercises of backpropagation as readers write them, right and wrong."""

import numpy as np


def centred(a, axis=0):
    return a - np.mean(a, axis=axis, keepdims=True)


def regression(dy, x_hat, gamma, var, eps):
    """What a straight line in x_hat leaves of dy; right but for eps, which gives part of the slope back."""
    slope = (dy * x_hat).sum(0) / len(dy)
    return (centred(dy) - slope * x_hat) * gamma / (var + eps) ** 0.5


def with_n(dy, x_hat, gamma, var, eps, n):
    return gamma * (var + eps) ** -0.5 / n * (n * dy - np.sum(dy, axis=0) - x_hat * np.sum(dy * x_hat, axis=0))


def quotient(f, x, dy, h, up, down, width):
    flat = []
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = h
        e = e.reshape(x.shape)
        flat.append(np.vdot(dy, f(x + up * e) - f(x - down * e)) / width)
    return np.array(flat).reshape(x.shape)


def own_output_only(f, x, dy, h):
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        e = np.zeros_like(x)
        e[index] = h
        gradient[index] = dy[index] * (f(x + e)[index] - f(x - e)[index]) / (2 * h)
    return gradient


def not_put_back(f, x, dy, h):
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        x[index] += h
        above = (dy * f(x)).sum()
        x[index] -= 2 * h
        gradient[index] = (above - (dy * f(x)).sum()) / (2 * h)
    return gradient


def spectrum(n, var, eps, x_hat):
    """Eigenvalues with that of the x_hat direction replaced, by building the matrix and diagonalising it."""
    a = np.linalg.qr(np.column_stack([np.ones(n), np.arange(n) ** 2.0, np.eye(n)[:, : n - 2]]))[0]
    return np.linalg.eigvalsh(a @ np.diag([0, x_hat] + [(var + eps) ** -0.5] * (n - 2)) @ a.T)


RIGHT = [
    ("backward_dx", regression),
    ("backward_dx", lambda *a: with_n(*a, n=len(a[0])).tolist()),
    ("parameter_gradients", lambda dy, x_hat: [np.einsum("nchw,nchw->c", dy, x_hat), np.einsum("nchw->c", dy)]),
    ("eigenvalues_of", lambda n, var, eps: spectrum(n, var, eps, eps * (var + eps) ** -1.5)),
    ("eigenvalues_of", lambda n, var, eps: [0, eps * (var + eps) ** -1.5] + [(var + eps) ** -0.5] * (n - 2)),
    ("numerical_gradient", lambda f, x, dy, h: quotient(f, x, dy, h, 1, 1, 2 * h)),
]

WRONG = [
    (
        "backward_dx",
        "mean term missing",
        lambda dy, x_hat, gamma, var, eps: gamma * (dy - x_hat * np.mean(dy * x_hat, axis=0)) / np.sqrt(var + eps),
    ),
    ("backward_dx", "x_hat term missing", lambda dy, x_hat, gamma, var, eps: gamma * centred(dy) * (var + eps) ** -0.5),
    ("backward_dx", "statistics constant", lambda dy, x_hat, gamma, var, eps: dy * gamma / np.sqrt(var + eps)),
    (
        "backward_dx",
        "sign of the x_hat term",
        lambda dy, x_hat, gamma, var, eps: gamma / np.sqrt(var + eps) * (centred(dy) + x_hat * (dy * x_hat).mean(0)),
    ),
    ("backward_dx", "sums for means", lambda *a: with_n(*a, n=1)),
    ("backward_dx", "over N - 1", lambda *a: with_n(*a, n=len(a[0]) - 1)),
    ("backward_dx", "gamma forgotten", lambda dy, x_hat, gamma, var, eps: with_n(dy, x_hat, 1.0, var, eps, len(dy))),
    (
        "backward_dx",
        "not divided by std",
        lambda dy, x_hat, gamma, var, eps: with_n(dy, x_hat, gamma, 1.0, 0.0, len(dy)),
    ),
    ("backward_dx", "eps forgotten", lambda dy, x_hat, gamma, var, eps: with_n(dy, x_hat, gamma, var, 0.0, len(dy))),
    (
        "backward_dx",
        "over the features",
        lambda dy, x_hat, gamma, var, eps: (
            gamma / np.sqrt(var + eps) * (centred(dy, 1) - x_hat * (dy * x_hat).mean(1, keepdims=True))
        ),
    ),
    (
        "parameter_gradients",
        "swapped",
        lambda dy, x_hat: (np.einsum("nchw->c", dy), np.einsum("nchw,nchw->c", dy, x_hat)),
    ),
    (
        "parameter_gradients",
        "means for sums",
        lambda dy, x_hat: [np.mean(dy * x_hat, (0, 2, 3)), np.mean(dy, (0, 2, 3))],
    ),
    ("parameter_gradients", "over examples only", lambda dy, x_hat: (sum(dy * x_hat), sum(dy))),
    ("parameter_gradients", "over channels too", lambda dy, x_hat: (np.vdot(dy, x_hat), np.sum(dy))),
    ("parameter_gradients", "x_hat forgotten", lambda dy, x_hat: (np.einsum("nchw->c", dy),) * 2),
    (
        "parameter_gradients",
        "width as channels",
        lambda dy, x_hat: (np.einsum("nchw,nchw->w", dy, x_hat), np.einsum("nchw->w", dy)),
    ),
    ("eigenvalues_of", "x_hat direction gone", lambda n, var, eps: spectrum(n, var, eps, 0.0)),
    ("eigenvalues_of", "x_hat direction left alone", lambda n, var, eps: spectrum(n, var, eps, (var + eps) ** -0.5)),
    ("eigenvalues_of", "those of P", lambda n, var, eps: [0, eps / (var + eps)] + [1] * (n - 2)),
    ("eigenvalues_of", "what was taken away", lambda n, var, eps: spectrum(n, var, eps, var * (var + eps) ** -1.5)),
    ("eigenvalues_of", "x_hat direction not divided", lambda n, var, eps: spectrum(n, var, eps, eps / (var + eps))),
    ("eigenvalues_of", "root forgotten", lambda n, var, eps: [0, eps / (var + eps) ** 2] + [1 / (var + eps)] * (n - 2)),
    (
        "eigenvalues_of",
        "descending",
        lambda n, var, eps: [(var + eps) ** -0.5] * (n - 2) + [eps * (var + eps) ** -1.5, 0],
    ),
    ("numerical_gradient", "forward difference", lambda f, x, dy, h: quotient(f, x, dy, h, 1, 0, h)),
    ("numerical_gradient", "divided by h", lambda f, x, dy, h: quotient(f, x, dy, h, 1, 1, h)),
    ("numerical_gradient", "half a step", lambda f, x, dy, h: quotient(f, x, dy, h, 1, 0, 2 * h)),
    ("numerical_gradient", "dy forgotten", lambda f, x, dy, h: quotient(f, x, np.ones(x.shape), h, 1, 1, 2 * h)),
    ("numerical_gradient", "all at once", lambda f, x, dy, h: (f(x + h) - f(x - h)) * dy / 2 / h),
    ("numerical_gradient", "own output only", own_output_only),
    ("numerical_gradient", "not put back", not_put_back),
]
