"""Each missed idea gets its own message; right answers pass however they are written; nothing else does."""

import contextlib
import io
import math

import numpy as np
import pytest

from bnutils import exercises
from bnutils.scratch import norm

# in the order of the file: an exercise, then its checker
ALL = tuple(each for each in vars(exercises).values() if isinstance(each, exercises.Exercise))
OFFERED = tuple(each for name, each in vars(exercises).items() if name.startswith("check_"))


def said(checker, candidate):
    """The one line that a checker prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert checker(candidate) is None
    (line,) = out.getvalue().splitlines()
    return line


def test_every_known_wrong_answer_gets_its_own_message():
    for exercise, checker in zip(ALL, OFFERED, strict=True):
        lines = [said(checker, wrong) for _, wrong in exercise.ideas]
        assert lines == [f"✗ {exercise.name}: {message}" for message, _ in exercise.ideas]
        assert len(set(lines)) == len(lines) >= 5


def test_the_reference_passes():
    for exercise, checker in zip(ALL, OFFERED, strict=True):
        assert said(checker, exercise.reference) == f"✓ {exercise.name}: {exercise.proves}"


# --- Wrong answers as a reader writes them ---------------------------------------------------------------------------


def c(n):
    """E[sigma_B] for Gaussian values, by the gamma function itself."""
    return math.sqrt(2 / n) * math.gamma(n / 2) / math.gamma((n - 1) / 2)


def layer_norm(x, eps):
    return ((x.T - x.mean(1)) / np.sqrt(x.var(1) + eps)).T


def single_pass(x, eps):
    return (x - x.mean(axis=0)) / ((x * x).mean(axis=0) - np.square(x.mean(axis=0)) + np.float32(eps)) ** 0.5


def single_pass_by_sums(x, eps):
    n = len(x)
    mean = sum(x) / n
    return (x - mean) / np.sqrt(np.maximum(sum(row**2 for row in x) / n - mean**2, 0) + eps).astype(x.dtype)


def over_n_minus_one(x, eps):
    centred = x - sum(x) / len(x)
    return centred / np.sqrt((centred**2).sum(0) / (len(x) - 1) + eps)


def first_n(noise):
    n = 1
    while 1 / math.sqrt(n) >= noise:  # >=: equality should have been enough
        n += 1
    return n


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


def probabilities(scores):
    p = np.exp(
        scores
        - np.log(np.exp(scores - scores.max(1, keepdims=True)).sum(1, keepdims=True))
        - scores.max(1, keepdims=True)
    )
    return p


def kernel_by_loops(x, dy, border=0):
    """Position by position, as the definition reads; ``border`` rows and columns of dy are left out."""
    n, h, w = x.shape
    kernel = np.zeros((3, 3))
    for image in range(n):
        for i in range(border, h - border):
            for j in range(border, w - border):
                for a in range(3):
                    for b in range(3):
                        if 0 <= i + a - 1 < h and 0 <= j + b - 1 < w:
                            kernel[a, b] += dy[image, i, j] * x[image, i + a - 1, j + b - 1]
    return kernel


def by_steps(momentum, share, *, first=0):
    left, t = 1.0, first
    while left > share:
        left, t = left * (1 - momentum), t + 1
    return t


def without_start(mean, var, kept, *, of_mean=0.0, of_var=1.0):
    """An average less what is left of a start, shared out again."""
    return [(mean - kept * of_mean) / (1 - kept), (var - kept * of_var) / (1 - kept)]


def line_through(gamma, beta, mean, std):
    """Slope and intercept from the values at 0 and 1."""
    at_0, at_1 = (gamma * (x - mean) / std + beta for x in (0, 1))
    return at_1 - at_0, at_0


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


IN_OTHER_WORDS = [
    (exercises.check_convert, lambda keras, n, new_n: 1.0 - np.float64(keras), "the batch size is left out"),
    (exercises.check_convert, lambda keras, n, new_n: math.exp(math.log(keras) * new_n / n), "as Keras counts"),
    (exercises.check_convert, lambda keras, n, new_n: new_n / n - keras * new_n / n, "scaled in proportion"),
    (exercises.check_convert, lambda keras, n, new_n: -math.expm1(math.log(keras) / new_n * n), "upside down"),
    (
        exercises.check_convert,
        lambda keras, n, new_n: math.exp(math.log(1 - keras) * new_n / n),
        "belongs to what is kept",
    ),
    (exercises.check_convert, lambda keras, n, new_n: keras + 0 * n, "Keras's number as it is"),
    (
        exercises.check_debias,
        lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** t, of_var=0),
        "only divided",
    ),
    (
        exercises.check_debias,
        lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** t, of_mean=1),
        "the mean started at 0",
    ),
    (
        exercises.check_debias,
        lambda mean, var, momentum, t: without_start(mean, var, momentum**t),
        "the weight of the old value",
    ),
    (
        exercises.check_debias,
        lambda mean, var, momentum, t: (mean * 1.0, var - math.exp(t * math.log(1 - momentum))),
        "divide by it",
    ),
    (
        exercises.check_debias,
        lambda mean, var, momentum, t: (
            mean / (1 - (1 - momentum) ** t),
            var / (1 - (1 - momentum) ** t) - 1 / (1 - (1 - momentum) ** t),
        ),
        "once and for all",
    ),
    (
        exercises.check_debias,
        lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** (t + 1)),
        "one batch more",
    ),
    (exercises.check_forget, lambda momentum, share: by_steps(1 - momentum, share), "keeps the factor 1 - momentum"),
    (exercises.check_forget, lambda momentum, share: by_steps(momentum, share) - 1, "rounded down"),
    (exercises.check_forget, lambda momentum, share: int(np.ceil(1 / momentum)), "the memory of the average"),
    (exercises.check_forget, lambda momentum, share: by_steps(momentum, share, first=1), "one too many: one step"),
    (exercises.check_forget, lambda momentum, share: int(np.ceil(np.log(1 / share) / momentum)), "taken as -momentum"),
    (exercises.check_forget, lambda momentum, share: math.log(share, 1 - momentum), "steps is whole"),
    (
        exercises.check_affine,
        lambda mean, var, gamma, beta, eps: line_through(gamma, beta, mean, np.sqrt(var)),
        "eps is forgotten: the layer",
    ),
    (
        exercises.check_affine,
        lambda mean, var, gamma, beta, eps: (gamma * (var + eps) ** -0.5, -mean + beta),
        "so it comes out scaled",
    ),
    (
        exercises.check_affine,
        lambda mean, var, gamma, beta, eps: line_through(gamma, beta, -mean, np.sqrt(var + eps)),
        "it is subtracted from x",
    ),
    (
        exercises.check_affine,
        lambda mean, var, gamma, beta, eps: line_through(
            gamma, gamma * beta / np.sqrt(var + eps), mean, np.sqrt(var + eps)
        ),
        "beta is scaled too",
    ),
    (
        exercises.check_affine,
        lambda mean, var, gamma, beta, eps: line_through(gamma, beta, mean, var + eps),
        "not by var + eps.",
    ),
    (
        exercises.check_affine,
        lambda mean, var, gamma, beta, eps: (
            line_through(gamma, beta, mean, np.sqrt(var + eps))[0],
            line_through(1, beta, mean, np.sqrt(var + eps))[1],
        ),
        "left out of the shift",
    ),
    (
        exercises.check_variance_step,
        lambda phi, q, omega, x, w: omega * np.dot(w, np.square(phi(q * x))),
        "a mean square: a Gaussian",
    ),
    (
        exercises.check_variance_step,
        lambda phi, q, omega, x, w: omega * np.dot(w, phi(q**0.5 * x)),
        "mean of phi, not of its square",
    ),
    (
        exercises.check_variance_step,
        lambda phi, q, omega, x, w: omega * np.dot(w, phi(q**0.5 * x)) ** 2,
        "square of the mean",
    ),
    (
        exercises.check_variance_step,
        lambda phi, q, omega, x, w: omega * np.dot(w, (phi(q**0.5 * x) - np.dot(w, phi(q**0.5 * x))) ** 2),
        "the variance of h",
    ),
    (exercises.check_variance_step, lambda phi, q, omega, x, w: second_moment(phi, q, x, w), "omega is forgotten"),
    (
        exercises.check_variance_step,
        lambda phi, q, omega, x, w: omega * omega * second_moment(phi, q, x, w),
        "omega is a variance already",
    ),
    (exercises.check_variance_step, lambda phi, q, omega, x, w: omega * float(phi(q**0.5)) ** 2, "one typical value"),
    (
        exercises.check_variance_step,
        lambda phi, q, omega, x, w: omega * np.mean(phi(q**0.5 * x) ** 2),
        "an unweighted mean",
    ),
    (exercises.check_leaky_weights, lambda n, a: 2 / (n + n * a * a), "this is the variance. The standard"),
    (exercises.check_leaky_weights, lambda n, a: (2 / n) ** 0.5, "the slope is ignored"),
    (exercises.check_leaky_weights, lambda n, a: ((1 + a * a) * n) ** -0.5, "the 2 is forgotten"),
    (exercises.check_leaky_weights, lambda n, a: n**-0.5, "the rule for the identity"),
    (exercises.check_leaky_weights, lambda n, a: (2 / n / (1 + a)) ** 0.5, "the slope is not squared"),
    (exercises.check_leaky_weights, lambda n, a: np.sqrt((0.5 + a * a / 2) / n), "upside down"),
    (exercises.check_leaky_weights, lambda n, a: (2 / (1 + a * a)) ** 0.5 / n, "fan_in is outside the root"),
    (exercises.check_scaled_weights, lambda s, depth, layer: walk(s, depth, layer, depth), "the readout is forgotten"),
    (
        exercises.check_scaled_weights,
        lambda s, depth, layer: [walk(s, depth, layer, depth + 1)[k] for k in (0, 2, 2)],
        "h has grown too",
    ),
    (
        exercises.check_scaled_weights,
        lambda s, depth, layer: [walk(s, depth, layer, depth + 1)[k] for k in (0, 0, 2)],
        "does not hold W itself",
    ),
    (
        exercises.check_scaled_weights,
        lambda s, depth, layer: np.multiply(walk(s, depth, layer, depth + 1), (1, 1, s)).tolist(),
        "behind its matrix, not before it",
    ),
    (
        exercises.check_scaled_weights,
        lambda s, depth, layer: [s ** (depth + 1), s**depth, s**layer],
        "not those up to it",
    ),
    (exercises.check_scaled_weights, lambda s, depth, layer: (s, s, s), "one factor for all"),
    (
        exercises.check_scaled_weights,
        lambda s, depth, layer: np.multiply(s, [depth + 1, depth, depth + 1 - layer]).tolist(),
        "added up, not multiplied",
    ),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: gamma * (dy - x_hat * np.mean(dy * x_hat, axis=0)) / np.sqrt(var + eps),
        "mean term is missing",
    ),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: gamma * centred(dy) * (var + eps) ** -0.5,
        "x_hat term is missing",
    ),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: dy * gamma / np.sqrt(var + eps),
        "statistics are taken as constants",
    ),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: gamma / np.sqrt(var + eps) * (centred(dy) + x_hat * (dy * x_hat).mean(0)),
        "wrong sign: the variance",
    ),
    (exercises.check_backward, lambda *a: with_n(*a, n=1), "sums where means belong. Each x"),
    (exercises.check_backward, lambda *a: with_n(*a, n=len(a[0]) - 1), "N - 1 where N belongs"),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: with_n(dy, x_hat, 1.0, var, eps, len(dy)),
        "gamma is forgotten",
    ),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: with_n(dy, x_hat, gamma, 1.0, 0.0, len(dy)),
        "not divided by sqrt",
    ),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: with_n(dy, x_hat, gamma, var, 0.0, len(dy)),
        "eps is forgotten: the forward",
    ),
    (
        exercises.check_backward,
        lambda dy, x_hat, gamma, var, eps: (
            gamma / np.sqrt(var + eps) * (centred(dy, 1) - x_hat * (dy * x_hat).mean(1, keepdims=True))
        ),
        "features of one example. BN",
    ),
    (
        exercises.check_parameter_gradients,
        lambda dy, x_hat: (np.einsum("nchw->c", dy), np.einsum("nchw,nchw->c", dy, x_hat)),
        "two are swapped",
    ),
    (
        exercises.check_parameter_gradients,
        lambda dy, x_hat: [np.mean(dy * x_hat, (0, 2, 3)), np.mean(dy, (0, 2, 3))],
        "One gamma acts",
    ),
    (exercises.check_parameter_gradients, lambda dy, x_hat: (sum(dy * x_hat), sum(dy)), "over the examples only"),
    (
        exercises.check_parameter_gradients,
        lambda dy, x_hat: (np.vdot(dy, x_hat), np.sum(dy)),
        "over the channels as well",
    ),
    (
        exercises.check_parameter_gradients,
        lambda dy, x_hat: (np.einsum("nchw->c", dy),) * 2,
        "x_hat is forgotten in dgamma",
    ),
    (
        exercises.check_parameter_gradients,
        lambda dy, x_hat: (np.einsum("nchw,nchw->w", dy, x_hat), np.einsum("nchw->w", dy)),
        "treats the width as the channels",
    ),
    (exercises.check_eigenvalues, lambda n, var, eps: spectrum(n, var, eps, 0.0), "taken as gone"),
    (
        exercises.check_eigenvalues,
        lambda n, var, eps: spectrum(n, var, eps, (var + eps) ** -0.5),
        "left alone: only the mean",
    ),
    (exercises.check_eigenvalues, lambda n, var, eps: [0, eps / (var + eps)] + [1] * (n - 2), "eigenvalues of P"),
    (
        exercises.check_eigenvalues,
        lambda n, var, eps: spectrum(n, var, eps, var * (var + eps) ** -1.5),
        "what was taken away",
    ),
    (exercises.check_eigenvalues, lambda n, var, eps: spectrum(n, var, eps, eps / (var + eps)), "not only the others"),
    (
        exercises.check_eigenvalues,
        lambda n, var, eps: [0, eps / (var + eps) ** 2] + [1 / (var + eps)] * (n - 2),
        "the root is forgotten.",
    ),
    (
        exercises.check_eigenvalues,
        lambda n, var, eps: [(var + eps) ** -0.5] * (n - 2) + [eps * (var + eps) ** -1.5, 0],
        "descending",
    ),
    (exercises.check_numerical_gradient, lambda f, x, dy, h: quotient(f, x, dy, h, 1, 0, h), "a forward difference"),
    (exercises.check_numerical_gradient, lambda f, x, dy, h: quotient(f, x, dy, h, 1, 1, h), "divide by 2h"),
    (exercises.check_numerical_gradient, lambda f, x, dy, h: quotient(f, x, dy, h, 1, 0, 2 * h), "not of 2h"),
    (
        exercises.check_numerical_gradient,
        lambda f, x, dy, h: quotient(f, x, np.ones(x.shape), h, 1, 1, 2 * h),
        "dy is forgotten",
    ),
    (
        exercises.check_numerical_gradient,
        lambda f, x, dy, h: (f(x + h) - f(x - h)) * dy / 2 / h,
        "all entries move at once",
    ),
    (exercises.check_numerical_gradient, own_output_only, "only the entry's own y"),
    (exercises.check_numerical_gradient, not_put_back, "drifts by -h"),
    (exercises.check_standardise, over_n_minus_one, "divided by N - 1"),
    (
        exercises.check_standardise,
        lambda x, eps: (x - np.mean(x, 0)) / (np.std(x, 0) + eps),
        "eps stands outside the root",
    ),
    (exercises.check_standardise, layer_norm, "that is layer norm"),
    (
        exercises.check_standardise,
        lambda x, eps: (x - np.mean(x)) / np.sqrt(np.var(x) + eps),
        "for all features together",
    ),
    (exercises.check_standardise, lambda x, eps: (x - np.mean(x, 0)) / np.sqrt(np.var(x, 0)), "eps is missing"),
    (exercises.check_standardise, lambda x, eps: x - np.mean(x, axis=0), "centred, but not scaled"),
    (exercises.check_standardise, lambda x, eps: x / np.sqrt(np.var(x, axis=0) + eps), "scaled, but not centred"),
    (
        exercises.check_standardise,
        lambda x, eps: (x - np.mean(x, 0)) / (np.square(x - np.mean(x, 0)).mean(0) + eps),
        "divided by the variance",
    ),
    (exercises.check_standardise, single_pass, "E[x^2] - E[x]^2"),
    (exercises.check_standardise, single_pass_by_sums, "E[x^2] - E[x]^2"),
    (exercises.check_undo, lambda mean, var, eps: (var**0.5, mean), "eps is forgotten"),
    (exercises.check_undo, lambda mean, var, eps: [(var + eps) ** -0.5, mean], "gamma divides once more"),
    (exercises.check_undo, lambda mean, var, eps: (np.sqrt(var + eps), 0 - mean), "wrong sign"),
    (
        exercises.check_undo,
        lambda mean, var, eps: (np.sqrt(var + eps), -mean / np.sqrt(var + eps)),
        "-mean/std is the shift of BN itself",
    ),
    (
        exercises.check_undo,
        lambda mean, var, eps: ((var + eps) ** -0.5, -mean * (var + eps) ** -0.5),
        "the scale and shift of BN itself",
    ),
    (exercises.check_undo, lambda mean, var, eps: (np.sqrt(var + eps), np.sqrt(var + eps) * mean), "once too often"),
    (exercises.check_undo, lambda mean, var, eps: (eps + var, mean), "the root is forgotten"),
    (exercises.check_batch_size, lambda noise: int(np.ceil(1 / noise)), "the square is forgotten"),
    (exercises.check_batch_size, lambda noise: int(noise**-2), "rounded down"),
    (exercises.check_batch_size, lambda noise: math.ceil(0.5 / noise**2), "there is no 2"),
    (exercises.check_batch_size, lambda noise: -int(-(1 / noise**2) // 1) + 1, "one too many"),
    (exercises.check_batch_size, first_n, "equality counts"),
    (exercises.check_batch_size, lambda noise: 1 / noise / noise, "whole number"),
    (exercises.check_noise_of_std, lambda n: (2 * n) ** -0.5, "the law for large n"),
    (exercises.check_noise_of_std, lambda n: np.sqrt(1 - c(n) ** 2), "E[sigma_B^2] is taken as 1"),
    (exercises.check_noise_of_std, lambda n: np.sqrt(1 - n / (n - 1) * c(n) ** 2), "over N - 1"),
    (exercises.check_noise_of_std, lambda n: (n - 1) / n - c(n) ** 2, "the variance of sigma_B"),
    (exercises.check_noise_of_std, lambda n: n**-0.5, "the noise of the mean"),
    (exercises.check_noise_of_std, lambda n: np.sqrt((n - 1) / n - 2 * c(n) + 1), "E[sigma_B] is taken as 1"),
    (
        exercises.check_linear_gradients,
        lambda dy, x, w: (np.dot(dy, w), np.einsum("ni,no->io", x, dy), sum(dy)),
        "is transposed",
    ),
    (
        exercises.check_linear_gradients,
        lambda dy, x, w: (dy @ w, np.einsum("no,ni->oi", dy, x) / len(dy), sum(dy) / len(dy)),
        "weight and bias are divided",
    ),
    (
        exercises.check_linear_gradients,
        lambda dy, x, w: [dy @ w, np.einsum("no,ni->oi", dy, x), sum(dy) / len(dy)],
        "only the gradient of the bias",
    ),
    (
        exercises.check_linear_gradients,
        lambda dy, x, w: [dy @ w, np.einsum("no,ni->oi", dy, x), np.einsum("no->n", dy)],
        "sums over the outputs",
    ),
    (
        exercises.check_linear_gradients,
        lambda dy, x, w: (np.einsum("no,io->ni" if len(w) == len(w.T) else "no,oi->ni", dy, w), dy.T.dot(x), sum(dy)),
        "through the transposed weight",
    ),
    (exercises.check_score_gradient, lambda s, y: probabilities(s) - np.eye(s.shape[1])[y], "not divided by the batch"),
    (
        exercises.check_score_gradient,
        lambda s, y: (np.eye(s.shape[1])[y] - probabilities(s)) / len(s),
        "sign is reversed",
    ),
    (exercises.check_score_gradient, lambda s, y: probabilities(s) / len(s), "truth is missing"),
    (
        exercises.check_score_gradient,
        lambda s, y: (probabilities(s) - np.eye(s.shape[1])[y]) / s.shape[1],
        "number of classes",
    ),
    (
        exercises.check_score_gradient,
        lambda s, y: (probabilities(s.T).T - np.eye(s.shape[1])[y]) / len(s),
        "softmax over the batch",
    ),
    (
        exercises.check_score_gradient,
        lambda s, y: (1 / (1 / np.exp(s) * np.exp(s).sum(1)[:, None]) - np.eye(s.shape[1])[y]) / len(s),
        "exp overflows",
    ),
    (
        exercises.check_momentum_step,
        lambda w, g, v, lr, m, d: (w - lr * (v + (1 - m) * (g + d * w - v)), v + (1 - m) * (g + d * w - v)),
        "weighted with 1 - momentum",
    ),
    (
        exercises.check_momentum_step,
        lambda w, g, v, lr, m, d: (w - lr * (v + m * g + m * d * w), v + m * g + m * d * w),
        "momentum weighs the new gradient",
    ),
    (
        exercises.check_momentum_step,
        lambda w, g, v, lr, m, d: (w - lr * (g + m * v), g + m * v),
        "weight decay is missing",
    ),
    (
        exercises.check_momentum_step,
        lambda w, g, v, lr, m, d: ((1 - lr * d) * w - lr * (g + m * v), g + m * v),
        "beside the velocity",
    ),
    (
        exercises.check_momentum_step,
        lambda w, g, v, lr, m, d: (w - m * v - lr * g - lr * d * w, m * v + lr * g + lr * d * w),
        "inside the velocity",
    ),
    (
        exercises.check_momentum_step,
        lambda w, g, v, lr, m, d: ((1 + lr * d) * w + lr * (g + m * v), g + m * v + d * w),
        "moves along the gradient",
    ),
    (
        exercises.check_normalise_images,
        lambda x, eps: (x - x.mean(0)) / np.sqrt(np.var(x, 0) + eps),
        "statistics a position",
    ),
    (
        exercises.check_normalise_images,
        lambda x, eps: np.stack([(i - i.mean((0, 1))) / np.sqrt(i.var((0, 1)) + eps) for i in x]),
        "an image and channel",
    ),
    (
        exercises.check_normalise_images,
        lambda x, eps: np.stack(
            [(x[:, i] - x[:, i].mean()) / np.sqrt(x[:, i].var() + eps) for i in range(x.shape[1])], axis=1
        ),
        "(N, C, H, W)",
    ),
    (exercises.check_normalise_images, lambda x, eps: (x - x.mean()) / np.sqrt(np.var(x) + eps), "for everything"),
    (
        exercises.check_normalise_images,
        lambda x, eps: np.stack([(i - i.mean()) / np.sqrt(i.var() + eps) for i in x]),
        "layer norm",
    ),
    (
        exercises.check_normalise_images,
        lambda x, eps: (x - x.mean((0, 1, 2))) / (np.sqrt(x.var((0, 1, 2))) + eps),
        "outside the root",
    ),
    (exercises.check_worth_of_an_image, lambda x: np.var(x.mean((2, 3)), 0) / np.var(x, (0, 2, 3)), "upside down"),
    (
        exercises.check_worth_of_an_image,
        lambda x: np.sqrt(np.var(x, (0, 2, 3)) / np.var(x.mean((2, 3)), 0)),
        "standard deviations",
    ),
    (
        exercises.check_worth_of_an_image,
        lambda x: np.var(x, (0, 2, 3)) / np.var(x.mean((2, 3)), 0) - 1,
        "within the images",
    ),
    (exercises.check_worth_of_an_image, lambda x: [float(x[0, 0].size)] * x.shape[1], "number of positions"),
    (
        exercises.check_worth_of_an_image,
        lambda x: np.var(x, (0, 2, 3)) / np.var(x.mean((2, 3)), 0) * x.shape[0],
        "number of images",
    ),
    (exercises.check_worth_of_an_image, lambda x: np.var(x) / np.var(x.mean((1, 2, 3))), "all channels together"),
    (exercises.check_kernel_gradient, lambda x, dy: kernel_by_loops(x, dy)[::-1, ::-1], "kernel is flipped"),
    (exercises.check_kernel_gradient, lambda x, dy: kernel_by_loops(x, dy).T, "rows and columns"),
    (
        exercises.check_kernel_gradient,
        lambda x, dy: kernel_by_loops(x, dy) / x.size,
        "a mean over images and positions",
    ),
    (
        exercises.check_kernel_gradient,
        lambda x, dy: kernel_by_loops(x, dy) / x.shape[0],
        "by the number of images. The loss",
    ),
    (exercises.check_kernel_gradient, lambda x, dy: kernel_by_loops(x, dy, border=1), "at the border"),
]


@pytest.mark.parametrize("checker, candidate, idea", IN_OTHER_WORDS)
def test_a_wrong_answer_in_the_readers_own_words_is_recognised(checker, candidate, idea):
    line = said(checker, candidate)
    assert line.startswith("✗") and "case" not in line
    assert idea in line


def test_every_idea_is_there_in_other_words():
    ideas = {message for exercise in ALL for message, _ in exercise.ideas}
    assert ideas == {message for message in ideas for _, _, idea in IN_OTHER_WORDS if idea in message}


# --- Right answers, written differently ------------------------------------------------------------------------------


def by_loops(x, eps):
    out = np.empty_like(x)
    for k in range(x.shape[1]):
        column = x[:, k].astype(float)
        out[:, k] = (column - column.mean()) / math.sqrt(column.var() + eps)
    return out


def smallest_by_search(noise):
    return next(n for n in range(1, 10**6) if n**-0.5 <= noise)


@pytest.mark.parametrize(
    "checker, candidate",
    [
        (exercises.check_variance_step, lambda phi, q, omega, x, w: omega * second_moment(phi, q, x, w)),
        (exercises.check_leaky_weights, lambda n, a: (n * (0.5 + a * a / 2)) ** -0.5),
        (exercises.check_scaled_weights, lambda s, depth, layer: walk(s, depth, layer, depth + 1)),
        (exercises.check_backward, regression),
        (exercises.check_backward, lambda *a: with_n(*a, n=len(a[0])).tolist()),
        (
            exercises.check_parameter_gradients,
            lambda dy, x_hat: [np.einsum("nchw,nchw->c", dy, x_hat), np.einsum("nchw->c", dy)],
        ),
        (exercises.check_eigenvalues, lambda n, var, eps: spectrum(n, var, eps, eps * (var + eps) ** -1.5)),
        (
            exercises.check_eigenvalues,
            lambda n, var, eps: [0, eps * (var + eps) ** -1.5] + [(var + eps) ** -0.5] * (n - 2),
        ),
        (exercises.check_numerical_gradient, lambda f, x, dy, h: quotient(f, x, dy, h, 1, 1, 2 * h)),
        (exercises.check_standardise, by_loops),
        (exercises.check_convert, lambda keras, n, new_n: -math.expm1(new_n / n * math.log(keras))),
        (exercises.check_debias, lambda mean, var, momentum, t: without_start(mean, var, (1 - momentum) ** t)),
        (exercises.check_forget, by_steps),
        (
            exercises.check_affine,
            lambda mean, var, gamma, beta, eps: line_through(gamma, beta, mean, np.sqrt(var + eps)),
        ),
        (exercises.check_standardise, lambda x, eps: ((x - x.mean(0)) / np.sqrt(x.var(0) + eps)).tolist()),
        (
            exercises.check_standardise,
            lambda x, eps: (x - x.mean(0)) * (np.mean((x - x.mean(0)) ** 2, axis=0) + eps) ** -0.5,
        ),
        (exercises.check_undo, lambda mean, var, eps: [np.sqrt(var + eps), +mean]),
        (exercises.check_undo, lambda mean, var, eps: (((var + eps) ** 0.5).tolist(), list(mean))),
        (exercises.check_batch_size, smallest_by_search),
        (exercises.check_batch_size, lambda noise: np.ceil(noise**-2.0)),
        (exercises.check_noise_of_std, lambda n: np.sqrt(1 - 1 / n - c(n) ** 2)),
        (
            exercises.check_linear_gradients,
            lambda dy, x, w: [np.einsum("no,oi->ni", dy, w), np.einsum("no,ni->oi", dy, x), sum(dy)],
        ),
        (exercises.check_score_gradient, lambda s, y: ((probabilities(s) - np.eye(s.shape[1])[y]) / len(y)).tolist()),
        (
            exercises.check_momentum_step,
            lambda w, g, v, lr, m, d: (w * (1 - lr * d) - lr * (g + m * v), g + d * w + m * v),
        ),
        (
            exercises.check_normalise_images,
            lambda x, eps: np.stack(
                [(x[..., k] - x[..., k].mean()) / np.sqrt(x[..., k].var() + eps) for k in range(x.shape[-1])], axis=-1
            ),
        ),
        (exercises.check_worth_of_an_image, lambda x: 1 + x.var((2, 3)).mean(0) / x.mean((2, 3)).var(0)),
        (exercises.check_worth_of_an_image, lambda x: norm.effective_positions(x)),
        (exercises.check_kernel_gradient, kernel_by_loops),
    ],
)
def test_a_right_answer_passes_however_it_is_written(checker, candidate):
    assert said(checker, candidate).startswith("✓")


# --- Neither right nor known -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("hole", [None, ..., (None, None), (..., None)])
def test_a_hole_is_not_filled_in_yet(hole):
    for exercise, checker in zip(ALL, OFFERED, strict=True):
        assert said(checker, lambda *arguments: hole) == f"… {exercise.name}: not filled in yet"


def test_a_function_that_says_it_is_not_implemented_is_a_hole():
    def later(noise):
        raise NotImplementedError

    assert said(exercises.check_batch_size, later) == "… batch size: not filled in yet"


@pytest.mark.parametrize(
    "candidate, line",
    [
        (
            lambda noise: 1 // 0,
            "✗ batch size, case 1 (noise=0.5): your function raised ZeroDivisionError: integer division or modulo by zero",
        ),
        (lambda: 4, "case 1 (noise=0.5): your function raised TypeError"),
        (lambda noise: {0.5: 4, 0.25: 16}[noise], "case 3 (noise=0.125): your function raised KeyError: 0.125"),
        (7, "case 1 (noise=0.5): your function raised TypeError: 'int' object is not callable"),
        (lambda noise: 4, "✗ batch size, case 2 (noise=0.25): expected 16, got 4"),
        (
            lambda noise: 12.34567 if noise == 0.3 else math.ceil(1 / noise**2),
            "case 4 (noise=0.3): expected 12, got 12.35",
        ),
        (lambda noise: "four", "case 1 (noise=0.5): expected numbers, got 'four' (str)"),
        (lambda noise: None if noise < 0.2 else math.ceil(1 / noise**2), "expected numbers, got None (NoneType)"),
        (lambda noise: (4, 4), "expected shape (), got (2,)"),
        (lambda noise: np.array([4]), "expected shape (), got (1,)"),
    ],
)
def test_another_answer_is_shown_beside_the_expected_one(candidate, line):
    assert line in said(exercises.check_batch_size, candidate)


@pytest.mark.parametrize(
    "checker, candidate, line",
    [
        (
            exercises.check_standardise,
            lambda x, eps: np.zeros(3),
            "case 1 (6 values, 4 features, eps=1e-5): expected shape (6, 4), got (3,)",
        ),
        (exercises.check_standardise, lambda x, eps: x * 0, "at [0, 0]"),
        (
            exercises.check_standardise,
            lambda x, eps: by_loops(x, eps) * (1 + 0.01 * (x.dtype == np.float32)),
            "case 3 (8 values",
        ),
        (exercises.check_undo, lambda mean, var, eps: np.sqrt(var), "expected 2 arrays, got shape (3,)"),
        (exercises.check_undo, lambda mean, var, eps: (np.sqrt(var + eps), mean + 1), "in part 2 of 2"),
        (
            exercises.check_undo,
            lambda mean, var, eps: (np.sqrt(var + eps), [[1], [1, 2]]),
            "expected 2 arrays, got a tuple of 2",
        ),
    ],
)
def test_an_array_is_compared_entry_by_entry(checker, candidate, line):
    assert line in said(checker, candidate)


def test_right_on_the_first_case_only_does_not_pass():
    for exercise, checker in zip(ALL, OFFERED, strict=True):
        answers = iter([exercise.reference(*exercise.cases[0][1])])
        line = said(checker, lambda *arguments: next(answers, exercise.reference(*exercise.cases[0][1])))
        assert line.startswith(f"✗ {exercise.name}, case 2")


def test_a_candidate_cannot_spoil_the_cases():
    def destructive(x, eps):
        x -= x.mean(0)
        x /= np.sqrt(np.square(x).mean(0) + x.dtype.type(eps))
        return x

    before = [x.copy() for _, (x, _) in exercises.STANDARDISE.cases]
    assert said(exercises.check_standardise, destructive) == said(exercises.check_standardise, destructive)
    assert said(exercises.check_standardise, destructive).startswith("✓")
    for copy, (_, (x, _)) in zip(before, exercises.STANDARDISE.cases):
        np.testing.assert_array_equal(x, copy)


def test_the_large_case_leaves_a_single_pass_nothing():
    """What makes it recognisable: E[x^2] and E[x]^2 are equal in float32 in every order of summation."""
    x, _ = exercises.STANDARDISE.cases[-1][1]
    assert x.dtype == np.float32 and x.astype(float).var(0).min() > 0.1
    for order in (slice(None), slice(None, None, -1)):
        rows = x[order]
        for mean_of_squares in (np.square(rows).mean(0), sum(row**2 for row in rows) / np.float32(8)):
            np.testing.assert_array_equal(mean_of_squares - rows.mean(0) ** 2, 0)
