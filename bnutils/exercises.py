"""Checkers that name the idea a wrong answer missed.

An exercise is data: a reference, the cases it runs on, and the wrong answers known to it, each with its message. A
candidate is compared with the reference first, then with every known wrong answer, on all cases.
"""

import copy
import math
from dataclasses import dataclass

import numpy as np

from .scratch import norm


@dataclass(frozen=True)
class Exercise:
    """What is asked, what a right answer proves, and the ways to miss it.

    ``cases`` are pairs (what the reader is told of the case, arguments); ``ideas`` are pairs (message, wrong function).
    """

    name: str
    proves: str
    reference: object
    cases: tuple
    ideas: tuple


def check(exercise, candidate):
    """Run a candidate on the cases of an exercise and print what it proves, or which idea it missed.

    Parameters
    ----------
    exercise : Exercise
        the exercise
    candidate
        a function of the same arguments as the reference; it is given copies, so it cannot spoil a case
    """
    print(_verdict(exercise, candidate))


def _verdict(exercise, candidate):
    answers = []
    for number, (told, arguments) in enumerate(exercise.cases, 1):
        try:
            answers.append(_run(candidate, arguments))
        except NotImplementedError:
            answers.append(None)
        except Exception as error:
            return f"✗ {exercise.name}, case {number} ({told}): your function raised {type(error).__name__}: {error}"
    if all(_is_hole(answer) for answer in answers):
        return f"… {exercise.name}: not filled in yet"
    expected = [_run(exercise.reference, arguments) for _, arguments in exercise.cases]
    agrees = [_equal(e, a) for e, a in zip(expected, answers)]
    if all(agrees):
        return f"✓ {exercise.name}: {exercise.proves}"
    for message, wrong in exercise.ideas:
        if all(_equal(_run(wrong, arguments), answer) for (_, arguments), answer in zip(exercise.cases, answers)):
            return f"✗ {exercise.name}: {message}"
    first = agrees.index(False)
    return f"✗ {exercise.name}, case {first + 1} ({exercise.cases[first][0]}): {_difference(expected[first], answers[first])}"


def _run(function, arguments):
    with np.errstate(all="ignore"):  # a wrong answer may divide by zero: that is its business
        return function(*copy.deepcopy(arguments))


def _is_hole(answer):
    parts = answer if isinstance(answer, tuple) else (answer,)
    return all(part is None or part is ... for part in parts)


def _parts(answer, several):
    """The arrays of an answer, one or several, or None if it is not made of numbers."""
    try:
        parts = [np.asarray(part) for part in (answer if several else (answer,))]
    except (TypeError, ValueError):  # not a sequence, or a ragged one
        return None
    return parts if all(part.dtype.kind in "iuf" for part in parts) else None


def _equal(expected, answer):
    several = isinstance(expected, tuple)
    expected, answer = _parts(expected, several), _parts(answer, several)
    if answer is None or [part.shape for part in answer] != [part.shape for part in expected]:
        return False
    return not any(_off(e, a).any() for e, a in zip(expected, answer))


def _off(expected, answer):
    tolerance = 1e-4 if expected.dtype == np.float32 else 1e-9
    return ~np.isclose(answer, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def _difference(expected, answer):
    """The first disagreement in words, numbers to 4 digits."""
    several = isinstance(expected, tuple)
    wanted, given = _parts(expected, several), _parts(answer, several)
    if given is None or len(given) != len(wanted):
        return f"expected {f'{len(wanted)} arrays' if several else 'numbers'}, got {_kind(answer)}"
    for position, (e, a) in enumerate(zip(wanted, given), 1):
        which = f" in part {position} of {len(wanted)}" if several else ""
        if e.shape != a.shape:
            return f"expected shape {e.shape}, got {a.shape}{which}"
        for index in np.argwhere(_off(e, a)).tolist():
            where = f" at {index}" if index else ""
            return f"expected {e[*index]:.4g}, got {a[*index]:.4g}{where}{which}"


def _kind(answer):
    if isinstance(answer, tuple | list):
        return f"a {type(answer).__name__} of {len(answer)}"
    return f"shape {answer.shape}" if isinstance(answer, np.ndarray) else f"{answer!r} ({type(answer).__name__})"


# --- Standardise a batch ---------------------------------------------------------------------------------------------


def _standardise_cases():
    rng = np.random.default_rng(20)
    plain = rng.normal(3, 2, (6, 4))
    flat = rng.normal(-1, 5, (5, 3))
    flat[:, 1] = 2.0
    # multiples of 1/16 around 2^13: sums and rounded squares come out the same in any order, so E[x^2] - E[x]^2 is 0
    large = (2.0**13 + rng.integers(-16, 17, (8, 3)) / 16).astype(np.float32)
    return (
        ("6 values, 4 features, eps=1e-5", (plain, 1e-5)),
        ("5 values, 3 features, one of them constant, eps=0.1", (flat, 0.1)),
        ("8 values, 3 features, float32, mean near 8192, eps=1e-5", (large, 1e-5)),
    )


def _standardise(x, eps, *, axis=0, ddof=0):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True, ddof=ddof) + x.dtype.type(eps))


STANDARDISE = Exercise(
    "standardise",
    "every feature has mean 0 and variance v/(v + eps), also at a mean of 8192 in float32.",
    lambda x, eps: norm.batch_norm(x, np.ones(x.shape[1]), np.zeros(x.shape[1]), eps=eps)[0],
    _standardise_cases(),
    (
        (
            "the variance is divided by N - 1. BN uses the biased one, over N: it describes this batch, it estimates nothing.",
            lambda x, eps: _standardise(x, eps, ddof=1),
        ),
        (
            "eps stands outside the root. It belongs to the variance: sqrt(var + eps), not sqrt(var) + eps.",
            lambda x, eps: (x - x.mean(0)) / (x.std(0) + x.dtype.type(eps)),
        ),
        (
            "the statistics run over the features of one example: that is layer norm. BN averages over the batch, axis 0.",
            lambda x, eps: _standardise(x, eps, axis=1),
        ),
        (
            "one mean and one variance for all features together. BN takes a pair for each feature: average over axis 0 only.",
            lambda x, eps: _standardise(x, eps, axis=None),
        ),
        ("eps is missing. Without it a constant feature is 0/0.", lambda x, eps: (x - x.mean(0)) / x.std(0)),
        ("centred, but not scaled. Divide by sqrt(var + eps) as well.", lambda x, eps: x - x.mean(0)),
        ("scaled, but not centred. Subtract the mean first.", lambda x, eps: x / np.sqrt(x.var(0) + x.dtype.type(eps))),
        (
            "divided by the variance. Its unit is that of x squared: take the root.",
            lambda x, eps: (x - x.mean(0)) / (x.var(0) + x.dtype.type(eps)),
        ),
        (
            "the variance is E[x^2] - E[x]^2. In float32 at a mean of 8192 the two are equal to the last digit and nothing is left: "
            "centre first, then square.",
            lambda x, eps: (x - x.mean(0)) / np.sqrt((x**2).mean(0) - x.mean(0) ** 2 + x.dtype.type(eps)),
        ),
    ),
)


def check_standardise(fn):
    """Check ``fn(x, eps)``, which returns x_hat: the batch (N, F) standardised over axis 0."""
    check(STANDARDISE, fn)


# --- Undo the normalisation ------------------------------------------------------------------------------------------


def _undo_cases():
    rng = np.random.default_rng(21)
    return tuple(
        (f"3 features, eps={eps:g}", (rng.normal(0, 3, 3), rng.uniform(0.2, 4, 3), eps)) for eps in (1e-5, 0.1, 1.0)
    )


UNDO = Exercise(
    "undo",
    "with given statistics, this gamma and beta make batch normalization the identity, exactly.",
    lambda mean, var, eps: (np.sqrt(var + eps), mean),
    _undo_cases(),
    (
        (
            "eps is forgotten: x was divided by sqrt(var + eps), so gamma = sqrt(var) leaves a factor below 1.",
            lambda mean, var, eps: (np.sqrt(var), mean),
        ),
        (
            "gamma divides once more. BN has divided by the standard deviation; to undo that, multiply by it.",
            lambda mean, var, eps: (1 / np.sqrt(var + eps), mean),
        ),
        (
            "beta has the wrong sign. BN has subtracted the mean; to undo that, add it.",
            lambda mean, var, eps: (np.sqrt(var + eps), -mean),
        ),
        (
            "beta = -mean/std is the shift of BN itself, written as one affine map. To undo it, add the mean.",
            lambda mean, var, eps: (np.sqrt(var + eps), -mean / np.sqrt(var + eps)),
        ),
        (
            "these are the scale and shift of BN itself, 1/std and -mean/std. The inverse map is asked for.",
            lambda mean, var, eps: (1 / np.sqrt(var + eps), -mean / np.sqrt(var + eps)),
        ),
        (
            "the root is forgotten: x was divided by sqrt(var + eps), not by var + eps.",
            lambda mean, var, eps: (var + eps, mean),
        ),
        (
            "beta is multiplied by gamma once too often: it is added after the scaling, in the units of x.",
            lambda mean, var, eps: (np.sqrt(var + eps), mean * np.sqrt(var + eps)),
        ),
    ),
)


def check_undo(fn):
    """Check ``fn(mean, var, eps)``, which returns the (gamma, beta) that make inference-mode BN the identity."""
    check(UNDO, fn)


# --- A batch large enough --------------------------------------------------------------------------------------------

BATCH_SIZE = Exercise(
    "batch size",
    "the noise of the mean falls as 1/sqrt(N): half the noise costs four times the batch.",
    lambda noise: math.ceil(1 / noise**2),
    tuple((f"noise={noise}", (noise,)) for noise in (0.5, 0.25, 0.125, 0.3, 0.15, 0.07, 0.6)),
    (
        (
            "the square is forgotten: the standard deviation falls as 1/sqrt(N), not as 1/N.",
            lambda noise: math.ceil(1 / noise),
        ),
        (
            "rounded down: that batch is one too small, its noise is still above the bound.",
            lambda noise: math.floor(1 / noise**2),
        ),
        (
            "1/(2 noise^2) bounds the noise of the standard deviation. For the mean there is no 2.",
            lambda noise: math.ceil(1 / (2 * noise**2)),
        ),
        ("one too many: the next batch size down already meets the bound.", lambda noise: math.ceil(1 / noise**2) + 1),
        (
            "equality counts: the noise may be equal to the bound, so at noise=0.5 a batch of 4 is enough.",
            lambda noise: math.floor(1 / noise**2) + 1,
        ),
        ("a batch has a whole number of examples: round up.", lambda noise: 1 / noise**2),
    ),
)


def check_batch_size(fn):
    """Check ``fn(noise)``, which returns the smallest integer N with std(mu_B) <= noise * sigma."""
    check(BATCH_SIZE, fn)


# --- The noise of the standard deviation -----------------------------------------------------------------------------


def _c_unbiased(n):
    return norm.mean_of_std(n) * math.sqrt(n / (n - 1))  # E of the standard deviation taken over N - 1


NOISE_OF_STD = Exercise(
    "noise of the standard deviation",
    "exact at every N, where 1/sqrt(2N) is 17 % too large at N = 2.",
    norm.std_of_std,
    tuple((f"n={n}", (n,)) for n in (2, 3, 8, 32, 128)),
    (
        ("1/sqrt(2n) is the law for large n. The exact one needs E[sigma_B] = c.", lambda n: 1 / math.sqrt(2 * n)),
        (
            "E[sigma_B^2] is taken as 1. The biased variance is (n-1)/n on average.",
            lambda n: math.sqrt(1 - norm.mean_of_std(n) ** 2),
        ),
        (
            "E[sigma_B] is taken as 1, so the squared deviation is taken from the wrong centre. It is c, below 1.",
            lambda n: math.sqrt((n - 1) / n + 1 - 2 * norm.mean_of_std(n)),
        ),
        (
            "this is the law of the standard deviation over N - 1. BN divides by N.",
            lambda n: math.sqrt(1 - _c_unbiased(n) ** 2),
        ),
        ("this is the variance of sigma_B. Its root is asked for.", lambda n: (n - 1) / n - norm.mean_of_std(n) ** 2),
        ("1/sqrt(n) is the noise of the mean.", lambda n: 1 / math.sqrt(n)),
    ),
)


def check_noise_of_std(fn):
    """Check ``fn(n)``, which returns the exact standard deviation of sigma_B for Gaussian values with sigma = 1."""
    check(NOISE_OF_STD, fn)


# --- The gradient in one line ----------------------------------------------------------------------------------------


def _backward_cases():
    rng = np.random.default_rng(22)
    cases = []
    for n, d, eps in ((6, 3, 1e-5), (5, 4, 0.5), (4, 2, 2.0)):
        _, (x_hat, gamma, var, _, _) = norm.batch_norm(
            rng.normal(2, 1.5, (n, d)), rng.normal(size=d), np.zeros(d), eps=eps
        )
        cases.append((f"{n} values, {d} features, eps={eps:g}", (rng.normal(size=(n, d)), x_hat, gamma, var, eps)))
    return tuple(cases)


def _backward(dy, x_hat, gamma, var, eps, *, mean=1, hat=1, axis=0, ddof=0):
    n = dy.shape[axis] - ddof
    along = (dy * x_hat).sum(axis, keepdims=True) / n
    return gamma / np.sqrt(var + eps) * (dy - mean * dy.sum(axis, keepdims=True) / n - hat * x_hat * along)


BACKWARD = Exercise(
    "backward",
    "the gradient along all paths, equal to the walk through the graph.",
    lambda dy, x_hat, gamma, var, eps: norm.batch_norm_backward(dy, (x_hat, gamma, var, eps, 0))[0],
    _backward_cases(),
    (
        (
            "the mean term is missing: x also reaches y through the batch mean, and dx must sum to 0 over the batch.",
            lambda *given: _backward(*given, mean=0),
        ),
        (
            "the x_hat term is missing: x also reaches y through the batch variance.",
            lambda *given: _backward(*given, hat=0),
        ),
        (
            "the statistics are taken as constants. That is the gradient of inference mode, and the bias before it grows for ever.",
            lambda *given: _backward(*given, mean=0, hat=0),
        ),
        (
            "the x_hat term has the wrong sign: the variance takes that direction away, it does not add to it.",
            lambda *given: _backward(*given, hat=-1),
        ),
        (
            "sums where means belong. Each x holds a share of 1/N in the mean and in the variance.",
            lambda dy, x_hat, gamma, var, eps: (
                gamma / np.sqrt(var + eps) * (dy - dy.sum(0) - x_hat * (dy * x_hat).sum(0))
            ),
        ),
        (
            "N - 1 where N belongs. BN divides by N in the mean and in the variance, and so does its gradient.",
            lambda *given: _backward(*given, ddof=1),
        ),
        (
            "gamma is forgotten: y = gamma * x_hat + beta passes gamma * dy on.",
            lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, 1, var, eps),
        ),
        (
            "not divided by sqrt(var + eps): what divides x on the way up divides the gradient on the way down.",
            lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, gamma, 1, 0),
        ),
        (
            "eps is forgotten: the forward pass divides by sqrt(var + eps), and so does the gradient.",
            lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, gamma, var, 0),
        ),
        (
            "the means run over the features of one example. BN averages over the batch, axis 0.",
            lambda *given: _backward(*given, axis=1),
        ),
    ),
)


def check_backward(fn):
    """Check ``fn(dy, x_hat, gamma, var, eps)``, which returns dx for a batch (N, F) normalised over axis 0."""
    check(BACKWARD, fn)


# --- The gradients of gamma and beta ---------------------------------------------------------------------------------


def _parameter_cases():
    rng = np.random.default_rng(23)
    return tuple(
        (f"images of shape {shape}", (rng.normal(size=shape), rng.normal(size=shape)))
        for shape in ((4, 3, 2, 5), (3, 4, 2, 2), (2, 2, 2, 2))
    )


PARAMETERS = Exercise(
    "gradients of gamma and beta",
    "one number a channel, summed over everything that channel was broadcast to.",
    lambda dy, x_hat: ((dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))),
    _parameter_cases(),
    (
        (
            "the two are swapped: dgamma holds x_hat, because y = gamma * x_hat + beta.",
            lambda dy, x_hat: (dy.sum((0, 2, 3)), (dy * x_hat).sum((0, 2, 3))),
        ),
        (
            "means where sums belong. One gamma acts on every entry of its channel, and their gradients add up; if the loss is a "
            "mean, its 1/N is inside dy already.",
            lambda dy, x_hat: ((dy * x_hat).mean((0, 2, 3)), dy.mean((0, 2, 3))),
        ),
        (
            "summed over the examples only. In images a channel's gamma is shared by all positions too.",
            lambda dy, x_hat: ((dy * x_hat).sum(0), dy.sum(0)),
        ),
        (
            "summed over the channels as well: each channel has a gamma and a beta of its own.",
            lambda dy, x_hat: ((dy * x_hat).sum(), dy.sum()),
        ),
        ("x_hat is forgotten in dgamma: that is dbeta.", lambda dy, x_hat: (dy.sum((0, 2, 3)), dy.sum((0, 2, 3)))),
        (
            "the sums run over the last axis too few: this treats the width as the channels. The layout is (N, C, H, W).",
            lambda dy, x_hat: ((dy * x_hat).sum((0, 1, 2)), dy.sum((0, 1, 2))),
        ),
    ),
)


def check_parameter_gradients(fn):
    """Check ``fn(dy, x_hat)``, which returns (dgamma, dbeta) for images (N, C, H, W)."""
    check(PARAMETERS, fn)


# --- The eigenvalues of the Jacobian ---------------------------------------------------------------------------------


def _eigenvalues(n, var, eps):
    std = math.sqrt(var + eps)
    return np.array([0.0, eps / (var + eps) / std] + [1 / std] * (n - 2))


EIGENVALUES = Exercise(
    "eigenvalues",
    "one direction gone, one shrunk to eps/(var + eps), N - 2 left alone, and all divided by sqrt(var + eps).",
    _eigenvalues,
    tuple(
        (f"N={n}, var={var:g}, eps={eps:g}", (n, var, eps))
        for n, var, eps in ((5, 1.0, 0.25), (4, 3.0, 1e-2), (2, 0.5, 0.5))
    ),
    (
        (
            "the x_hat direction is taken as gone. That is the limit eps -> 0; for eps > 0 a share of eps/(var + eps) is left.",
            lambda n, var, eps: np.array([0.0, 0.0] + [1 / math.sqrt(var + eps)] * (n - 2)),
        ),
        (
            "the x_hat direction is left alone: only the mean is removed here. The variance depends on x too.",
            lambda n, var, eps: np.array([0.0] + [1 / math.sqrt(var + eps)] * (n - 1)),
        ),
        (
            "these are the eigenvalues of P. The Jacobian is P / sqrt(var + eps).",
            lambda n, var, eps: _eigenvalues(n, var, eps) * math.sqrt(var + eps),
        ),
        (
            "what is left of the x_hat direction is eps/(var + eps); var/(var + eps) is what was taken away.",
            lambda n, var, eps: np.sort(
                [0.0, var / (var + eps) / math.sqrt(var + eps)] + [1 / math.sqrt(var + eps)] * (n - 2)
            ),
        ),
        (
            "the x_hat direction is divided by sqrt(var + eps) too, not only the others.",
            lambda n, var, eps: np.sort([0.0, eps / (var + eps)] + [1 / math.sqrt(var + eps)] * (n - 2)),
        ),
        (
            "divided by var + eps: the root is forgotten.",
            lambda n, var, eps: _eigenvalues(n, var, eps) / math.sqrt(var + eps),
        ),
        ("in descending order; ascending is asked for.", lambda n, var, eps: _eigenvalues(n, var, eps)[::-1]),
    ),
)


def check_eigenvalues(fn):
    """Check ``fn(n, var, eps)``, which returns the N eigenvalues of d x_hat / d x for one feature, ascending."""
    check(EIGENVALUES, fn)


# --- A numerical gradient --------------------------------------------------------------------------------------------


def _numerical_cases():
    rng = np.random.default_rng(24)
    return (
        ("y = x cubed, h=0.1", (lambda x: x**3, rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), 0.1)),
        (
            "y = the sine of x times its column sum, h=0.01",
            (lambda x: np.sin(x) * x.sum(0), rng.normal(size=(4, 2)), rng.normal(size=(4, 2)), 0.01),
        ),
        (
            "y = x / (1 + mean of x squared), h=0.05",
            (lambda x: x / (1 + (x**2).mean(0)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), 0.05),
        ),
    )


def _difference_quotient(f, x, dy, h, *, forward=1, back=1, width=2):
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += forward * h
        below[index] -= back * h
        gradient[index] = (dy * (f(above) - f(below))).sum() / (width * h)
    return gradient


def _in_place(f, x, dy, h):
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        x[index] += h
        above = f(x)
        x[index] -= 2 * h
        gradient[index] = (dy * (above - f(x))).sum() / (2 * h)
    return gradient


NUMERICAL = Exercise(
    "numerical gradient",
    "central differences of sum(dy * f(x)), one entry at a time.",
    _difference_quotient,
    _numerical_cases(),
    (
        (
            "a forward difference: its error falls with h, that of f(x + h) - f(x - h) with h squared.",
            lambda f, x, dy, h: _difference_quotient(f, x, dy, h, back=0, width=1),
        ),
        (
            "the step from x - h to x + h is 2h long: divide by 2h.",
            lambda f, x, dy, h: _difference_quotient(f, x, dy, h, width=1),
        ),
        ("f(x + h) - f(x) is a step of h, not of 2h.", lambda f, x, dy, h: _difference_quotient(f, x, dy, h, back=0)),
        (
            "dy is forgotten: this is the gradient of the sum of y, which batch normalization keeps at 0 whatever x is.",
            lambda f, x, dy, h: _difference_quotient(f, x, np.ones_like(dy), h),
        ),
        (
            "all entries move at once. Move one at a time: another entry of y may follow it.",
            lambda f, x, dy, h: dy * (f(x + h) - f(x - h)) / (2 * h),
        ),
        (
            "only the entry's own y is looked at. Batch normalization moves every y of the batch when one x moves: sum over all.",
            lambda f, x, dy, h: np.array(
                [
                    [
                        (dy * (f(x + h * _unit(x, (i, j))) - f(x - h * _unit(x, (i, j)))))[i, j] / (2 * h)
                        for j in range(x.shape[1])
                    ]
                    for i in range(x.shape[0])
                ]
            ),
        ),
        ("the entry is not put back: x moved in place drifts by -h with each entry.", _in_place),
    ),
)


def _unit(x, index):
    unit = np.zeros_like(x)
    unit[index] = 1
    return unit


def check_numerical_gradient(fn):
    """Check ``fn(f, x, dy, h)``, which returns the gradient of sum(dy * f(x)) by central differences."""
    check(NUMERICAL, fn)


# --- The linear layer, backward --------------------------------------------------------------------------------------


def _linear_cases():
    rng = np.random.default_rng(60)
    wide, square = (rng.normal(size=s) for s in ((6, 3), (6, 5), (3, 5))), (rng.normal(size=(4, 4)) for _ in range(3))
    return (("6 examples, 5 inputs, 3 outputs", tuple(wide)), ("4 examples, 4 inputs, 4 outputs", tuple(square)))


LINEAR = Exercise(
    "linear gradients",
    "the gradients of x, weight and bias are dy W, dy^T x and the sum of dy over the batch.",
    lambda dy, x, weight: (dy @ weight, dy.T @ x, dy.sum(0)),
    _linear_cases(),
    (
        (
            "the gradient of the weight is transposed. weight is (out, in), so its gradient is dy.T @ x.",
            lambda dy, x, weight: (dy @ weight, x.T @ dy, dy.sum(0)),
        ),
        (
            "the gradients of weight and bias are divided by the batch size. The loss has divided already: dy carries the 1/N.",
            lambda dy, x, weight: (dy @ weight, dy.T @ x / len(x), dy.mean(0)),
        ),
        (
            "only the gradient of the bias is divided by the batch size. It is a sum over the batch, like that of the weight.",
            lambda dy, x, weight: (dy @ weight, dy.T @ x, dy.mean(0)),
        ),
        (
            "the gradient of the bias sums over the outputs. There is one bias an output: sum over the batch, axis 0.",
            lambda dy, x, weight: (dy @ weight, dy.T @ x, dy.sum(1)),
        ),
        (
            "x goes back through the transposed weight. Forward is x W^T, so backward is dy W.",
            lambda dy, x, weight: (
                dy @ weight.T if weight.shape[0] == weight.shape[1] else dy @ weight,
                dy.T @ x,
                dy.sum(0),
            ),
        ),
    ),
)


def check_linear_gradients(fn):
    """Check ``fn(dy, x, weight)``, which returns the gradients of x, weight and the bias of a linear layer."""
    check(LINEAR, fn)


# --- Probability minus truth -----------------------------------------------------------------------------------------


def _softmax(scores):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _truth(scores, labels):
    return (np.arange(scores.shape[1]) == labels[:, None]).astype(float)


def _score_cases():
    rng = np.random.default_rng(61)
    return (
        ("5 examples, 4 classes", (rng.normal(size=(5, 4)), rng.integers(0, 4, 5))),
        ("3 examples, 10 classes, scores up to about 1000", (500 * rng.normal(size=(3, 10)), rng.integers(0, 10, 3))),
    )


SCORES = Exercise(
    "score gradient",
    "the gradient of the mean cross-entropy is probability minus truth, over N, at any size of the scores.",
    lambda scores, labels: (_softmax(scores) - _truth(scores, labels)) / len(labels),
    _score_cases(),
    (
        (
            "not divided by the batch size. The loss is a mean over the batch, so its gradient carries 1/N.",
            lambda scores, labels: _softmax(scores) - _truth(scores, labels),
        ),
        (
            "the sign is reversed. A score too high costs: the gradient is probability minus truth.",
            lambda scores, labels: (_truth(scores, labels) - _softmax(scores)) / len(labels),
        ),
        (
            "the truth is missing. These are the probabilities; subtract 1 at the right class.",
            lambda scores, labels: _softmax(scores) / len(labels),
        ),
        (
            "divided by the number of classes. The loss is a mean over the examples.",
            lambda scores, labels: (_softmax(scores) - _truth(scores, labels)) / scores.shape[1],
        ),
        (
            "softmax over the batch. The probabilities of one example sum to one: axis 1.",
            lambda scores, labels: (_softmax(scores.T).T - _truth(scores, labels)) / len(labels),
        ),
        (
            "exp overflows at large scores and leaves nan. Subtract the largest score of each example first.",
            lambda scores, labels: (
                (np.exp(scores) / np.exp(scores).sum(1, keepdims=True) - _truth(scores, labels)) / len(labels)
            ),
        ),
    ),
)


def check_score_gradient(fn):
    """Check ``fn(scores, labels)``, which returns the gradient of the mean cross-entropy by the scores."""
    check(SCORES, fn)


# --- One step of SGD -------------------------------------------------------------------------------------------------


def _step_cases():
    rng = np.random.default_rng(62)
    w, g, v = rng.normal(size=(3, 4))
    return (
        ("velocity 0, momentum 0.9, no decay", (w, g, np.zeros(4), 0.1, 0.9, 0.0)),
        ("a velocity, momentum 0.9, decay 0.01", (w, g, v, 0.1, 0.9, 0.01)),
        ("a velocity, momentum 0.5, decay 0.3", (w, g, v, 0.2, 0.5, 0.3)),
    )


def _stepped(w, v, lr):
    return w - lr * v, v


STEP = Exercise(
    "momentum step",
    "momentum sums gradients, decay enters the gradient, the learning rate stays outside: PyTorch's SGD.",
    lambda w, g, v, lr, momentum, decay: _stepped(w, momentum * v + g + decay * w, lr),
    _step_cases(),
    (
        (
            "the new gradient is weighted with 1 - momentum. That is an average; PyTorch's velocity is a sum.",
            lambda w, g, v, lr, momentum, decay: _stepped(w, momentum * v + (1 - momentum) * (g + decay * w), lr),
        ),
        (
            "momentum weighs the new gradient. It weighs the old velocity: v = momentum * v + g.",
            lambda w, g, v, lr, momentum, decay: _stepped(w, v + momentum * (g + decay * w), lr),
        ),
        (
            "the weight decay is missing. It adds decay * w to the gradient.",
            lambda w, g, v, lr, momentum, decay: _stepped(w, momentum * v + g, lr),
        ),
        (
            "the weight decay is taken off the weight, beside the velocity. In PyTorch's SGD it goes into the velocity, as part of the "
            "gradient; beside it is what AdamW does.",
            lambda w, g, v, lr, momentum, decay: (w - lr * (momentum * v + g) - lr * decay * w, momentum * v + g),
        ),
        (
            "the learning rate is inside the velocity. It multiplies the step only, so that it can change later.",
            lambda w, g, v, lr, momentum, decay: (
                w - (momentum * v + lr * (g + decay * w)),
                momentum * v + lr * (g + decay * w),
            ),
        ),
        (
            "the weight moves along the gradient. Descent moves against it: w - lr * v.",
            lambda w, g, v, lr, momentum, decay: (
                w + lr * (momentum * v + g + decay * w),
                momentum * v + g + decay * w,
            ),
        ),
    ),
)


def check_momentum_step(fn):
    """Check ``fn(w, g, v, lr, momentum, decay)``, which returns the new weight and the new velocity."""
    check(STEP, fn)


# --- Normalise images ------------------------------------------------------------------------------------------------


def _image_cases():
    rng = np.random.default_rng(63)
    scale = np.array([1.0, 20.0, 0.1])
    return (
        ("4 images of 5 by 6, 3 channels, eps=1e-5", (rng.normal(2, 1, (4, 5, 6, 3)) * scale, 1e-5)),
        ("1 image of 3 by 3, 2 channels, eps=0.5", (rng.normal(size=(1, 3, 3, 2)), 0.5)),
    )


def _over(x, eps, axis):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


IMAGES = Exercise(
    "normalise images",
    "every channel has mean 0 and variance v/(v + eps) over images, rows and columns.",
    lambda x, eps: _over(x, eps, (0, 1, 2)),
    _image_cases(),
    (
        (
            "one pair of statistics a position. A convolution looks for the same thing everywhere: average over rows and columns too.",
            lambda x, eps: _over(x, eps, 0),
        ),
        (
            "one pair of statistics an image and channel. That is instance norm; batch norm averages over the images too.",
            lambda x, eps: _over(x, eps, (1, 2)),
        ),
        (
            "the axes are those of (N, C, H, W). Here the channel comes last: average over axes 0, 1 and 2.",
            lambda x, eps: _over(x, eps, (0, 2, 3)),
        ),
        ("one pair of statistics for everything. Each channel has its own.", lambda x, eps: _over(x, eps, None)),
        (
            "the statistics run over the channels of one image. That is layer norm.",
            lambda x, eps: _over(x, eps, (1, 2, 3)),
        ),
        (
            "eps stands outside the root. It belongs to the variance: sqrt(var + eps).",
            lambda x, eps: (x - x.mean((0, 1, 2))) / (x.std((0, 1, 2)) + eps),
        ),
    ),
)


def check_normalise_images(fn):
    """Check ``fn(x, eps)``, which returns x_hat for images (N, H, W, C), one pair of statistics a channel."""
    check(IMAGES, fn)


# --- The worth of an image -------------------------------------------------------------------------------------------


def _worth_cases():
    rng = np.random.default_rng(64)
    noise = rng.normal(size=(20, 2, 4, 5))
    return (
        ("20 images of noise, 2 channels, 4 by 5", (noise,)),
        ("the same with a brightness of its own added to each image", (noise + rng.normal(3, 1, (20, 2, 1, 1)),)),
    )


def _total(x):
    return x.var(axis=(0, 2, 3))


WORTH = Exercise(
    "worth of an image",
    "p is the variance of all values of a channel over the variance of its image means.",
    lambda x: _total(x) / x.mean(axis=(2, 3)).var(axis=0),
    _worth_cases(),
    (
        (
            "the ratio is upside down. The less the image means vary, the more an image is worth.",
            lambda x: x.mean(axis=(2, 3)).var(axis=0) / _total(x),
        ),
        (
            "a ratio of standard deviations. Variances add, so it is a ratio of variances.",
            lambda x: x.std(axis=(0, 2, 3)) / x.mean(axis=(2, 3)).std(axis=0),
        ),
        (
            "the variance within the images, over that of their means. The variance of all values has both parts: yours is p - 1.",
            lambda x: x.var(axis=(2, 3)).mean(axis=0) / x.mean(axis=(2, 3)).var(axis=0),
        ),
        (
            "the number of positions. That is right for uncorrelated positions only.",
            lambda x: np.full(x.shape[1], x.shape[2] * x.shape[3], float),
        ),
        (
            "multiplied by the number of images. p is what one image is worth.",
            lambda x: len(x) * _total(x) / x.mean(axis=(2, 3)).var(axis=0),
        ),
        (
            "all channels together. Each channel has its own p.",
            lambda x: np.asarray(x.var() / x.mean(axis=(1, 2, 3)).var()),
        ),
    ),
)


def check_worth_of_an_image(fn):
    """Check ``fn(x)``, which returns p for every channel of images (N, C, H, W)."""
    check(WORTH, fn)


# --- The gradient of a kernel ----------------------------------------------------------------------------------------


def _kernel_cases():
    rng = np.random.default_rng(65)
    return (
        ("2 images of 5 by 5", (rng.normal(size=(2, 5, 5)), rng.normal(size=(2, 5, 5)))),
        ("3 images of 4 by 6", (rng.normal(size=(3, 4, 6)), rng.normal(size=(3, 4, 6)))),
    )


def _kernel(x, dy, edge=1, reduce=np.sum):
    _, h, w = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    return np.array(
        [
            [
                reduce(
                    dy[:, 1 - edge : h - 1 + edge, 1 - edge : w - 1 + edge]
                    * padded[:, a + 1 - edge : a + h - 1 + edge, b + 1 - edge : b + w - 1 + edge]
                )
                for b in range(3)
            ]
            for a in range(3)
        ]
    )


KERNEL = Exercise(
    "kernel gradient",
    "each weight of the kernel collects dy times the value it saw, over all positions and images.",
    _kernel,
    _kernel_cases(),
    (
        (
            "the kernel is flipped. Weight (a, b) saw the padded image shifted by (a, b); the flip belongs to the gradient of x.",
            lambda x, dy: _kernel(x, dy)[::-1, ::-1],
        ),
        (
            "rows and columns of the kernel are exchanged. Weight (a, b) belongs to row a, column b.",
            lambda x, dy: _kernel(x, dy).T,
        ),
        (
            "a mean over images and positions. The kernel is used at every one of them: its gradient is a sum.",
            lambda x, dy: _kernel(x, dy, reduce=np.mean),
        ),
        (
            "divided by the number of images. The loss has divided already: dy carries the 1/N.",
            lambda x, dy: _kernel(x, dy) / len(x),
        ),
        (
            "the positions at the border are left out. There the kernel sees padded zeros, and its other weights see values.",
            lambda x, dy: _kernel(x, dy, edge=0),
        ),
    ),
)


def check_kernel_gradient(fn):
    """Check ``fn(x, dy)``, which returns the gradient (3, 3) of the kernel of a convolution of images (N, H, W), zeros around."""
    check(KERNEL, fn)


# --- A momentum in another convention and batch size -----------------------------------------------------------------

CONVERT = Exercise(
    "convert the momentum",
    "the old statistics fade as fast per image, whatever the word and the batch size.",
    lambda keras, n, new_n: 1 - keras ** (new_n / n),
    tuple(
        (f"Keras {keras} at {n} images, wanted at {new_n}", (keras, n, new_n))
        for keras, n, new_n in ((0.99, 32, 64), (0.9, 64, 8), (0.5, 16, 48), (0.999, 100, 1000))
    ),
    (
        (
            "the batch size is left out: a batch twice as large is seen half as often, and forgets twice as much at a time.",
            lambda keras, n, new_n: 1 - keras,
        ),
        (
            "this is the weight of the old value, as Keras counts. PyTorch counts the weight of the new one: one minus it.",
            lambda keras, n, new_n: keras ** (new_n / n),
        ),
        (
            "scaled in proportion. That is the first term only; what is kept multiplies from batch to batch, so take a power of it.",
            lambda keras, n, new_n: (1 - keras) * new_n / n,
        ),
        (
            "the ratio stands upside down: a larger batch has to forget more, not less.",
            lambda keras, n, new_n: 1 - keras ** (n / new_n),
        ),
        (
            "the power belongs to what is kept, not to what is new: 0.99 of 0.99 is kept after two batches.",
            lambda keras, n, new_n: (1 - keras) ** (new_n / n),
        ),
        (
            "Keras's number as it is: PyTorch would forget nearly everything with each batch.",
            lambda keras, n, new_n: keras,
        ),
    ),
)


def check_convert(fn):
    """Check ``fn(keras, n, new_n)``, which returns PyTorch's momentum for batches of ``new_n``."""
    check(CONVERT, fn)


# --- Take the start out ----------------------------------------------------------------------------------------------


def _debias_cases():
    rng = np.random.default_rng(25)
    cases = []
    for momentum, t in ((0.1, 1), (0.3, 4), (0.01, 20)):
        k = (1 - momentum) ** t
        mean, var = rng.normal(2, 1, 3), rng.uniform(2, 4, 3)
        cases.append((f"momentum={momentum}, t={t}", ((1 - k) * mean, k + (1 - k) * var, momentum, t)))
    return tuple(cases)


def _debias(mean, var, momentum, t):
    k = (1 - momentum) ** t
    return mean / (1 - k), (var - k) / (1 - k)


DEBIAS = Exercise(
    "take the start out",
    "right on average from the first batch on, for the mean and for the variance.",
    _debias,
    _debias_cases(),
    (
        (
            "the variance is only divided. It started at 1, not at 0: what is left of that 1, k^t, has to go first.",
            lambda mean, var, momentum, t: (mean / (1 - (1 - momentum) ** t), var / (1 - (1 - momentum) ** t)),
        ),
        (
            "the mean started at 0: nothing to subtract there.",
            lambda mean, var, momentum, t: (
                (mean - (1 - momentum) ** t) / (1 - (1 - momentum) ** t),
                _debias(mean, var, momentum, t)[1],
            ),
        ),
        (
            "k is the weight of the old value, 1 - momentum. With momentum^t the start is gone after a step or two.",
            lambda mean, var, momentum, t: _debias(mean, var, 1 - momentum, t),
        ),
        (
            "the start is subtracted, but the batches share 1 - k^t only: divide by it.",
            lambda mean, var, momentum, t: (mean, var - (1 - momentum) ** t),
        ),
        (
            "subtracted once and for all: of the initial 1 only k^t is left after t batches.",
            lambda mean, var, momentum, t: (mean / (1 - (1 - momentum) ** t), (var - 1) / (1 - (1 - momentum) ** t)),
        ),
        (
            "t batches, t factors: this is the correction for one batch more.",
            lambda mean, var, momentum, t: _debias(mean, var, momentum, t + 1),
        ),
    ),
)


def check_debias(fn):
    """Check ``fn(mean, var, momentum, t)``, which returns the running mean and variance without their start."""
    check(DEBIAS, fn)


# --- Until the start is forgotten ------------------------------------------------------------------------------------

FORGET = Exercise(
    "until the start is forgotten",
    "k^t falls to any share in log(share) / log(k) steps: about 2.3 / momentum for a tenth.",
    lambda momentum, share: math.ceil(math.log(share) / math.log(1 - momentum)),
    tuple(
        (f"momentum={momentum}, share={share}", (momentum, share))
        for momentum, share in ((0.1, 0.01), (0.01, 0.05), (0.001, 0.5), (0.5, 0.3), (0.3, 0.05))
    ),
    (
        (
            "the start keeps the factor 1 - momentum at each step, not momentum.",
            lambda momentum, share: math.ceil(math.log(share) / math.log(momentum)),
        ),
        (
            "rounded down: after that many steps more than the share is left.",
            lambda momentum, share: math.floor(math.log(share) / math.log(1 - momentum)),
        ),
        (
            "1/momentum is the memory of the average, the steps until 1/e is left. The share asked for is another.",
            lambda momentum, share: math.ceil(1 / momentum),
        ),
        (
            "one too many: one step earlier is enough already.",
            lambda momentum, share: math.ceil(math.log(share) / math.log(1 - momentum)) + 1,
        ),
        (
            "log(1 - momentum) is taken as -momentum. That is close for a small momentum, and too slow for a large one.",
            lambda momentum, share: math.ceil(-math.log(share) / momentum),
        ),
        ("a number of steps is whole: round up.", lambda momentum, share: math.log(share) / math.log(1 - momentum)),
    ),
)


def check_forget(fn):
    """Check ``fn(momentum, share)``, which returns the smallest number of steps that leaves the start at most ``share``."""
    check(FORGET, fn)


# --- Inference as one affine map -------------------------------------------------------------------------------------


def _affine_cases():
    rng = np.random.default_rng(26)
    return tuple(
        (
            f"3 features, eps={eps:g}",
            (rng.normal(0, 3, 3), rng.uniform(0.2, 4, 3), rng.normal(size=3), rng.normal(size=3), eps),
        )
        for eps in (1e-5, 0.1, 1.0)
    )


def _affine(mean, var, gamma, beta, eps):
    a = gamma / np.sqrt(var + eps)
    return a, beta - a * mean


AFFINE = Exercise(
    "inference as one affine map",
    "one multiplication and one addition a value, the same for every batch.",
    _affine,
    _affine_cases(),
    (
        (
            "eps is forgotten: the layer divides by sqrt(var + eps), and so does the map.",
            lambda mean, var, gamma, beta, eps: _affine(mean, var, gamma, beta, 0.0),
        ),
        (
            "the mean is subtracted before it is scaled, so it comes out scaled: b = beta - a * mean.",
            lambda mean, var, gamma, beta, eps: (gamma / np.sqrt(var + eps), beta - mean),
        ),
        (
            "the mean has the wrong sign: it is subtracted from x.",
            lambda mean, var, gamma, beta, eps: (gamma / np.sqrt(var + eps), beta + gamma / np.sqrt(var + eps) * mean),
        ),
        (
            "beta is scaled too. It is added after the scaling.",
            lambda mean, var, gamma, beta, eps: (
                gamma / np.sqrt(var + eps),
                gamma / np.sqrt(var + eps) * (beta - mean),
            ),
        ),
        (
            "the root is forgotten: divide by sqrt(var + eps), not by var + eps.",
            lambda mean, var, gamma, beta, eps: (gamma / (var + eps), beta - gamma / (var + eps) * mean),
        ),
        (
            "gamma is left out of the shift: gamma multiplies x - mean, the mean included.",
            lambda mean, var, gamma, beta, eps: (gamma / np.sqrt(var + eps), beta - mean / np.sqrt(var + eps)),
        ),
    ),
)


def check_affine(fn):
    """Check ``fn(mean, var, gamma, beta, eps)``, which returns (a, b) with a x + b equal to BN at inference."""
    check(AFFINE, fn)


# --- One step of the variance recursion ------------------------------------------------------------------------------


def _variance_step(phi, q, omega, nodes, weights):
    return omega * (weights * phi(np.sqrt(q) * nodes) ** 2).sum()


def _step_cases():
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    return (
        ("tanh, q=0.7, omega=1.5", (np.tanh, 0.7, 1.5, nodes, weights)),
        ("sigmoid, q=2.5, omega=4", (lambda z: 1 / (1 + np.exp(-z)), 2.5, 4.0, nodes, weights)),
        ("ReLU, q=3, omega=0.5", (lambda z: np.maximum(z, 0), 3.0, 0.5, nodes, weights)),
    )


VARIANCE_STEP = Exercise(
    "variance step",
    "the mean square of the next layer's pre-activations, for any activation.",
    _variance_step,
    _step_cases(),
    (
        (
            "q is a mean square: a Gaussian of that size is sqrt(q) times a standard one.",
            lambda phi, q, omega, nodes, weights: omega * (weights * phi(q * nodes) ** 2).sum(),
        ),
        (
            "the mean of phi, not of its square. Weights of mean zero pass on squares only.",
            lambda phi, q, omega, nodes, weights: omega * (weights * phi(np.sqrt(q) * nodes)).sum(),
        ),
        (
            "the square of the mean. Average phi squared: square first.",
            lambda phi, q, omega, nodes, weights: omega * (weights * phi(np.sqrt(q) * nodes)).sum() ** 2,
        ),
        (
            "the variance of h, with its mean subtracted. Each h is multiplied by a weight of its own, so its mean counts too.",
            lambda phi, q, omega, nodes, weights: (
                _variance_step(phi, q, omega, nodes, weights) - omega * (weights * phi(np.sqrt(q) * nodes)).sum() ** 2
            ),
        ),
        (
            "omega is forgotten: the weights of the next layer multiply the mean square by it.",
            lambda phi, q, omega, nodes, weights: _variance_step(phi, q, 1.0, nodes, weights),
        ),
        (
            "omega is a variance already (m times that of one weight). Do not square it.",
            lambda phi, q, omega, nodes, weights: _variance_step(phi, q, omega**2, nodes, weights),
        ),
        (
            "phi at one typical value, sqrt(q). The average is over all values of a Gaussian.",
            lambda phi, q, omega, nodes, weights: omega * phi(np.sqrt(q)) ** 2,
        ),
        (
            "an unweighted mean over the nodes. Far nodes are rare: weigh each with its weight.",
            lambda phi, q, omega, nodes, weights: omega * (phi(np.sqrt(q) * nodes) ** 2).mean(),
        ),
    ),
)


def check_variance_step(fn):
    """Check ``fn(phi, q, omega, nodes, weights)``, which returns omega * E[phi(sqrt(q) Z)^2] by quadrature."""
    check(VARIANCE_STEP, fn)


# --- Weights for a leaky ReLU ----------------------------------------------------------------------------------------

LEAKY_WEIGHTS = Exercise(
    "weights for a leaky ReLU",
    "each layer keeps the mean square, and a slope of 0 gives He's rule.",
    lambda fan_in, slope: math.sqrt(2 / ((1 + slope**2) * fan_in)),
    tuple(
        (f"fan_in={fan_in}, slope={slope:g}", (fan_in, slope)) for fan_in, slope in ((50, 0.2), (128, 0.0), (300, 0.5))
    ),
    (
        (
            "this is the variance. The standard deviation is asked for: take the root.",
            lambda fan_in, slope: 2 / ((1 + slope**2) * fan_in),
        ),
        (
            "the slope is ignored: this is He's rule for the plain ReLU. The negative half passes something on too.",
            lambda fan_in, slope: math.sqrt(2 / fan_in),
        ),
        (
            "the 2 is forgotten: each half of a Gaussian carries half of its mean square.",
            lambda fan_in, slope: math.sqrt(1 / ((1 + slope**2) * fan_in)),
        ),
        (
            "this is the rule for the identity or for tanh near zero, 1/fan_in. A leaky ReLU passes on less.",
            lambda fan_in, slope: math.sqrt(1 / fan_in),
        ),
        (
            "the slope is not squared: the negative half is multiplied by it, so its mean square by its square.",
            lambda fan_in, slope: math.sqrt(2 / ((1 + slope) * fan_in)),
        ),
        (
            "upside down: what passes less needs larger weights, so (1 + slope^2)/2 divides.",
            lambda fan_in, slope: math.sqrt((1 + slope**2) / (2 * fan_in)),
        ),
        (
            "fan_in is outside the root. A sum of fan_in independent terms has fan_in times their variance.",
            lambda fan_in, slope: math.sqrt(2 / (1 + slope**2)) / fan_in,
        ),
    ),
)


def check_leaky_weights(fn):
    """Check ``fn(fan_in, slope)``, the standard deviation of weights that keeps the mean square through a leaky ReLU."""
    check(LEAKY_WEIGHTS, fn)


# --- All weights scaled at once --------------------------------------------------------------------------------------


def _scaled(scale, *powers):
    return tuple(float(scale) ** power for power in powers)


SCALED_WEIGHTS = Exercise(
    "scaled weights",
    "the gradients of all weight matrices grow by the same factor: their ratio cannot show a wrong scale.",
    lambda scale, depth, layer: _scaled(scale, depth + 1, depth, depth + 1 - layer),
    tuple(
        (f"scale={scale:g}, depth={depth}, layer={layer}", (scale, depth, layer))
        for scale, depth, layer in ((0.5, 4, 1), (3.0, 6, 2), (1.5, 5, 5))
    ),
    (
        (
            "the readout is forgotten: D hidden layers have D + 1 weight matrices.",
            lambda scale, depth, layer: _scaled(scale, depth, depth - 1, depth - layer),
        ),
        (
            "the gradient of W is the product of delta and of the h below it, and h has grown too, by scale^(layer - 1).",
            lambda scale, depth, layer: _scaled(scale, depth + 1, depth + 1 - layer, depth + 1 - layer),
        ),
        (
            "the gradient by W does not hold W itself as a factor: the output is linear in each matrix, with D others beside it.",
            lambda scale, depth, layer: _scaled(scale, depth + 1, depth + 1, depth + 1 - layer),
        ),
        (
            "delta of a layer is the gradient behind its matrix, not before it: only the matrices above count, D + 1 - layer.",
            lambda scale, depth, layer: _scaled(scale, depth + 1, depth, depth + 2 - layer),
        ),
        (
            "delta counts the matrices above the layer, not those up to it.",
            lambda scale, depth, layer: _scaled(scale, depth + 1, depth, layer),
        ),
        (
            "one factor for all: but each of the matrices on the way multiplies once more.",
            lambda scale, depth, layer: _scaled(scale, 1, 1, 1),
        ),
        (
            "the factors are added up, not multiplied.",
            lambda scale, depth, layer: tuple(scale * count for count in (depth + 1, depth, depth + 1 - layer)),
        ),
    ),
)


def check_scaled_weights(fn):
    """Check ``fn(scale, depth, layer)``: factors of the output, of dL/dW and of dL/dz when a ReLU net is scaled."""
    check(SCALED_WEIGHTS, fn)
