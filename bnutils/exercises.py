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
    with np.errstate(all="ignore"):                          # a wrong answer may divide by zero: that is its business
        return function(*copy.deepcopy(arguments))


def _is_hole(answer):
    parts = answer if isinstance(answer, tuple) else (answer,)
    return all(part is None or part is ... for part in parts)


def _parts(answer, several):
    """The arrays of an answer, one or several, or None if it is not made of numbers."""
    try:
        parts = [np.asarray(part) for part in (answer if several else (answer,))]
    except (TypeError, ValueError):                          # not a sequence, or a ragged one
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
    return (("6 values, 4 features, eps=1e-5", (plain, 1e-5)),
            ("5 values, 3 features, one of them constant, eps=0.1", (flat, 0.1)),
            ("8 values, 3 features, float32, mean near 8192, eps=1e-5", (large, 1e-5)))


def _standardise(x, eps, *, axis=0, ddof=0):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True, ddof=ddof) + x.dtype.type(eps))


STANDARDISE = Exercise(
    "standardise",
    "every feature has mean 0 and variance v/(v + eps), also at a mean of 8192 in float32.",
    lambda x, eps: norm.batch_norm(x, np.ones(x.shape[1]), np.zeros(x.shape[1]), eps=eps)[0],
    _standardise_cases(),
    (("the variance is divided by N - 1. BN uses the biased one, over N: it describes this batch, it estimates nothing.",
      lambda x, eps: _standardise(x, eps, ddof=1)),
     ("eps stands outside the root. It belongs to the variance: sqrt(var + eps), not sqrt(var) + eps.",
      lambda x, eps: (x - x.mean(0)) / (x.std(0) + x.dtype.type(eps))),
     ("the statistics run over the features of one example: that is layer norm. BN averages over the batch, axis 0.",
      lambda x, eps: _standardise(x, eps, axis=1)),
     ("one mean and one variance for all features together. BN takes a pair for each feature: average over axis 0 only.",
      lambda x, eps: _standardise(x, eps, axis=None)),
     ("eps is missing. Without it a constant feature is 0/0.",
      lambda x, eps: (x - x.mean(0)) / x.std(0)),
     ("centred, but not scaled. Divide by sqrt(var + eps) as well.",
      lambda x, eps: x - x.mean(0)),
     ("scaled, but not centred. Subtract the mean first.",
      lambda x, eps: x / np.sqrt(x.var(0) + x.dtype.type(eps))),
     ("divided by the variance. Its unit is that of x squared: take the root.",
      lambda x, eps: (x - x.mean(0)) / (x.var(0) + x.dtype.type(eps))),
     ("the variance is E[x^2] - E[x]^2. In float32 at a mean of 8192 the two are equal to the last digit and nothing is left: "
      "centre first, then square.",
      lambda x, eps: (x - x.mean(0)) / np.sqrt((x**2).mean(0) - x.mean(0) ** 2 + x.dtype.type(eps)))),
)


def check_standardise(fn):
    """Check ``fn(x, eps)``, which returns x_hat: the batch (N, F) standardised over axis 0."""
    check(STANDARDISE, fn)


# --- Undo the normalisation ------------------------------------------------------------------------------------------


def _undo_cases():
    rng = np.random.default_rng(21)
    return tuple((f"3 features, eps={eps:g}", (rng.normal(0, 3, 3), rng.uniform(0.2, 4, 3), eps)) for eps in (1e-5, 0.1, 1.0))


UNDO = Exercise(
    "undo",
    "with given statistics, this gamma and beta make batch normalization the identity, exactly.",
    lambda mean, var, eps: (np.sqrt(var + eps), mean),
    _undo_cases(),
    (("eps is forgotten: x was divided by sqrt(var + eps), so gamma = sqrt(var) leaves a factor below 1.",
      lambda mean, var, eps: (np.sqrt(var), mean)),
     ("gamma divides once more. BN has divided by the standard deviation; to undo that, multiply by it.",
      lambda mean, var, eps: (1 / np.sqrt(var + eps), mean)),
     ("beta has the wrong sign. BN has subtracted the mean; to undo that, add it.",
      lambda mean, var, eps: (np.sqrt(var + eps), -mean)),
     ("beta = -mean/std is the shift of BN itself, written as one affine map. To undo it, add the mean.",
      lambda mean, var, eps: (np.sqrt(var + eps), -mean / np.sqrt(var + eps))),
     ("these are the scale and shift of BN itself, 1/std and -mean/std. The inverse map is asked for.",
      lambda mean, var, eps: (1 / np.sqrt(var + eps), -mean / np.sqrt(var + eps))),
     ("the root is forgotten: x was divided by sqrt(var + eps), not by var + eps.",
      lambda mean, var, eps: (var + eps, mean)),
     ("beta is multiplied by gamma once too often: it is added after the scaling, in the units of x.",
      lambda mean, var, eps: (np.sqrt(var + eps), mean * np.sqrt(var + eps)))),
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
    (("the square is forgotten: the standard deviation falls as 1/sqrt(N), not as 1/N.",
      lambda noise: math.ceil(1 / noise)),
     ("rounded down: that batch is one too small, its noise is still above the bound.",
      lambda noise: math.floor(1 / noise**2)),
     ("1/(2 noise^2) bounds the noise of the standard deviation. For the mean there is no 2.",
      lambda noise: math.ceil(1 / (2 * noise**2))),
     ("one too many: the next batch size down already meets the bound.",
      lambda noise: math.ceil(1 / noise**2) + 1),
     ("equality counts: the noise may be equal to the bound, so at noise=0.5 a batch of 4 is enough.",
      lambda noise: math.floor(1 / noise**2) + 1),
     ("a batch has a whole number of examples: round up.",
      lambda noise: 1 / noise**2)),
)


def check_batch_size(fn):
    """Check ``fn(noise)``, which returns the smallest integer N with std(mu_B) <= noise * sigma."""
    check(BATCH_SIZE, fn)


# --- The noise of the standard deviation -----------------------------------------------------------------------------


def _c_unbiased(n):
    return norm.mean_of_std(n) * math.sqrt(n / (n - 1))      # E of the standard deviation taken over N - 1


NOISE_OF_STD = Exercise(
    "noise of the standard deviation",
    "exact at every N, where 1/sqrt(2N) is 17 % too large at N = 2.",
    norm.std_of_std,
    tuple((f"n={n}", (n,)) for n in (2, 3, 8, 32, 128)),
    (("1/sqrt(2n) is the law for large n. The exact one needs E[sigma_B] = c.",
      lambda n: 1 / math.sqrt(2 * n)),
     ("E[sigma_B^2] is taken as 1. The biased variance is (n-1)/n on average.",
      lambda n: math.sqrt(1 - norm.mean_of_std(n) ** 2)),
     ("E[sigma_B] is taken as 1, so the squared deviation is taken from the wrong centre. It is c, below 1.",
      lambda n: math.sqrt((n - 1) / n + 1 - 2 * norm.mean_of_std(n))),
     ("this is the law of the standard deviation over N - 1. BN divides by N.",
      lambda n: math.sqrt(1 - _c_unbiased(n) ** 2)),
     ("this is the variance of sigma_B. Its root is asked for.",
      lambda n: (n - 1) / n - norm.mean_of_std(n) ** 2),
     ("1/sqrt(n) is the noise of the mean.",
      lambda n: 1 / math.sqrt(n))),
)


def check_noise_of_std(fn):
    """Check ``fn(n)``, which returns the exact standard deviation of sigma_B for Gaussian values with sigma = 1."""
    check(NOISE_OF_STD, fn)


# --- The gradient in one line ----------------------------------------------------------------------------------------


def _backward_cases():
    rng = np.random.default_rng(22)
    cases = []
    for n, d, eps in ((6, 3, 1e-5), (5, 4, 0.5), (4, 2, 2.0)):
        _, (x_hat, gamma, var, _, _) = norm.batch_norm(rng.normal(2, 1.5, (n, d)), rng.normal(size=d), np.zeros(d), eps=eps)
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
    (("the mean term is missing: x also reaches y through the batch mean, and dx must sum to 0 over the batch.",
      lambda *given: _backward(*given, mean=0)),
     ("the x_hat term is missing: x also reaches y through the batch variance.",
      lambda *given: _backward(*given, hat=0)),
     ("the statistics are taken as constants. That is the gradient of inference mode, and the bias before it grows for ever.",
      lambda *given: _backward(*given, mean=0, hat=0)),
     ("the x_hat term has the wrong sign: the variance takes that direction away, it does not add to it.",
      lambda *given: _backward(*given, hat=-1)),
     ("sums where means belong. Each x holds a share of 1/N in the mean and in the variance.",
      lambda dy, x_hat, gamma, var, eps: gamma / np.sqrt(var + eps) * (dy - dy.sum(0) - x_hat * (dy * x_hat).sum(0))),
     ("N - 1 where N belongs. BN divides by N in the mean and in the variance, and so does its gradient.",
      lambda *given: _backward(*given, ddof=1)),
     ("gamma is forgotten: y = gamma * x_hat + beta passes gamma * dy on.",
      lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, 1, var, eps)),
     ("not divided by sqrt(var + eps): what divides x on the way up divides the gradient on the way down.",
      lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, gamma, 1, 0)),
     ("eps is forgotten: the forward pass divides by sqrt(var + eps), and so does the gradient.",
      lambda dy, x_hat, gamma, var, eps: _backward(dy, x_hat, gamma, var, 0)),
     ("the means run over the features of one example. BN averages over the batch, axis 0.",
      lambda *given: _backward(*given, axis=1))),
)


def check_backward(fn):
    """Check ``fn(dy, x_hat, gamma, var, eps)``, which returns dx for a batch (N, F) normalised over axis 0."""
    check(BACKWARD, fn)


# --- The gradients of gamma and beta ---------------------------------------------------------------------------------


def _parameter_cases():
    rng = np.random.default_rng(23)
    return tuple((f"images of shape {shape}", (rng.normal(size=shape), rng.normal(size=shape)))
                 for shape in ((4, 3, 2, 5), (3, 4, 2, 2), (2, 2, 2, 2)))


PARAMETERS = Exercise(
    "gradients of gamma and beta",
    "one number a channel, summed over everything that channel was broadcast to.",
    lambda dy, x_hat: ((dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))),
    _parameter_cases(),
    (("the two are swapped: dgamma holds x_hat, because y = gamma * x_hat + beta.",
      lambda dy, x_hat: (dy.sum((0, 2, 3)), (dy * x_hat).sum((0, 2, 3)))),
     ("means where sums belong. One gamma acts on every entry of its channel, and their gradients add up; if the loss is a "
      "mean, its 1/N is inside dy already.",
      lambda dy, x_hat: ((dy * x_hat).mean((0, 2, 3)), dy.mean((0, 2, 3)))),
     ("summed over the examples only. In images a channel's gamma is shared by all positions too.",
      lambda dy, x_hat: ((dy * x_hat).sum(0), dy.sum(0))),
     ("summed over the channels as well: each channel has a gamma and a beta of its own.",
      lambda dy, x_hat: ((dy * x_hat).sum(), dy.sum())),
     ("x_hat is forgotten in dgamma: that is dbeta.",
      lambda dy, x_hat: (dy.sum((0, 2, 3)), dy.sum((0, 2, 3)))),
     ("the sums run over the last axis too few: this treats the width as the channels. The layout is (N, C, H, W).",
      lambda dy, x_hat: ((dy * x_hat).sum((0, 1, 2)), dy.sum((0, 1, 2))))),
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
    tuple((f"N={n}, var={var:g}, eps={eps:g}", (n, var, eps))
          for n, var, eps in ((5, 1.0, 0.25), (4, 3.0, 1e-2), (2, 0.5, 0.5))),
    (("the x_hat direction is taken as gone. That is the limit eps -> 0; for eps > 0 a share of eps/(var + eps) is left.",
      lambda n, var, eps: np.array([0.0, 0.0] + [1 / math.sqrt(var + eps)] * (n - 2))),
     ("the x_hat direction is left alone: only the mean is removed here. The variance depends on x too.",
      lambda n, var, eps: np.array([0.0] + [1 / math.sqrt(var + eps)] * (n - 1))),
     ("these are the eigenvalues of P. The Jacobian is P / sqrt(var + eps).",
      lambda n, var, eps: _eigenvalues(n, var, eps) * math.sqrt(var + eps)),
     ("what is left of the x_hat direction is eps/(var + eps); var/(var + eps) is what was taken away.",
      lambda n, var, eps: np.sort([0.0, var / (var + eps) / math.sqrt(var + eps)] + [1 / math.sqrt(var + eps)] * (n - 2))),
     ("the x_hat direction is divided by sqrt(var + eps) too, not only the others.",
      lambda n, var, eps: np.sort([0.0, eps / (var + eps)] + [1 / math.sqrt(var + eps)] * (n - 2))),
     ("divided by var + eps: the root is forgotten.",
      lambda n, var, eps: _eigenvalues(n, var, eps) / math.sqrt(var + eps)),
     ("in descending order; ascending is asked for.",
      lambda n, var, eps: _eigenvalues(n, var, eps)[::-1])),
)


def check_eigenvalues(fn):
    """Check ``fn(n, var, eps)``, which returns the N eigenvalues of d x_hat / d x for one feature, ascending."""
    check(EIGENVALUES, fn)


# --- A numerical gradient --------------------------------------------------------------------------------------------


def _numerical_cases():
    rng = np.random.default_rng(24)
    return (("y = x cubed, h=0.1", (lambda x: x**3, rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), 0.1)),
            ("y = the sine of x times its column sum, h=0.01",
             (lambda x: np.sin(x) * x.sum(0), rng.normal(size=(4, 2)), rng.normal(size=(4, 2)), 0.01)),
            ("y = x / (1 + mean of x squared), h=0.05",
             (lambda x: x / (1 + (x**2).mean(0)), rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), 0.05)))


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
    (("a forward difference: its error falls with h, that of f(x + h) - f(x - h) with h squared.",
      lambda f, x, dy, h: _difference_quotient(f, x, dy, h, back=0, width=1)),
     ("the step from x - h to x + h is 2h long: divide by 2h.",
      lambda f, x, dy, h: _difference_quotient(f, x, dy, h, width=1)),
     ("f(x + h) - f(x) is a step of h, not of 2h.",
      lambda f, x, dy, h: _difference_quotient(f, x, dy, h, back=0)),
     ("dy is forgotten: this is the gradient of the sum of y, which batch normalization keeps at 0 whatever x is.",
      lambda f, x, dy, h: _difference_quotient(f, x, np.ones_like(dy), h)),
     ("all entries move at once. Move one at a time: another entry of y may follow it.",
      lambda f, x, dy, h: dy * (f(x + h) - f(x - h)) / (2 * h)),
     ("only the entry's own y is looked at. Batch normalization moves every y of the batch when one x moves: sum over all.",
      lambda f, x, dy, h: np.array([[(dy * (f(x + h * _unit(x, (i, j))) - f(x - h * _unit(x, (i, j)))))[i, j] / (2 * h)
                                     for j in range(x.shape[1])] for i in range(x.shape[0])])),
     ("the entry is not put back: x moved in place drifts by -h with each entry.", _in_place)),
)


def _unit(x, index):
    unit = np.zeros_like(x)
    unit[index] = 1
    return unit


def check_numerical_gradient(fn):
    """Check ``fn(f, x, dy, h)``, which returns the gradient of sum(dy * f(x)) by central differences."""
    check(NUMERICAL, fn)


# --- One step of the variance recursion ------------------------------------------------------------------------------


def _variance_step(phi, q, omega, nodes, weights):
    return omega * (weights * phi(np.sqrt(q) * nodes) ** 2).sum()


def _step_cases():
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    return (("tanh, q=0.7, omega=1.5", (np.tanh, 0.7, 1.5, nodes, weights)),
            ("sigmoid, q=2.5, omega=4", (lambda z: 1 / (1 + np.exp(-z)), 2.5, 4.0, nodes, weights)),
            ("ReLU, q=3, omega=0.5", (lambda z: np.maximum(z, 0), 3.0, 0.5, nodes, weights)))


VARIANCE_STEP = Exercise(
    "variance step",
    "the mean square of the next layer's pre-activations, for any activation.",
    _variance_step,
    _step_cases(),
    (("q is a mean square: a Gaussian of that size is sqrt(q) times a standard one.",
      lambda phi, q, omega, nodes, weights: omega * (weights * phi(q * nodes) ** 2).sum()),
     ("the mean of phi, not of its square. Weights of mean zero pass on squares only.",
      lambda phi, q, omega, nodes, weights: omega * (weights * phi(np.sqrt(q) * nodes)).sum()),
     ("the square of the mean. Average phi squared: square first.",
      lambda phi, q, omega, nodes, weights: omega * (weights * phi(np.sqrt(q) * nodes)).sum() ** 2),
     ("the variance of h, with its mean subtracted. Each h is multiplied by a weight of its own, so its mean counts too.",
      lambda phi, q, omega, nodes, weights: _variance_step(phi, q, omega, nodes, weights)
      - omega * (weights * phi(np.sqrt(q) * nodes)).sum() ** 2),
     ("omega is forgotten: the weights of the next layer multiply the mean square by it.",
      lambda phi, q, omega, nodes, weights: _variance_step(phi, q, 1.0, nodes, weights)),
     ("omega is a variance already (m times that of one weight). Do not square it.",
      lambda phi, q, omega, nodes, weights: _variance_step(phi, q, omega**2, nodes, weights)),
     ("phi at one typical value, sqrt(q). The average is over all values of a Gaussian.",
      lambda phi, q, omega, nodes, weights: omega * phi(np.sqrt(q)) ** 2),
     ("an unweighted mean over the nodes. Far nodes are rare: weigh each with its weight.",
      lambda phi, q, omega, nodes, weights: omega * (phi(np.sqrt(q) * nodes) ** 2).mean())),
)


def check_variance_step(fn):
    """Check ``fn(phi, q, omega, nodes, weights)``, which returns omega * E[phi(sqrt(q) Z)^2] by quadrature."""
    check(VARIANCE_STEP, fn)


# --- Weights for a leaky ReLU ----------------------------------------------------------------------------------------

LEAKY_WEIGHTS = Exercise(
    "weights for a leaky ReLU",
    "each layer keeps the mean square, and a slope of 0 gives He's rule.",
    lambda fan_in, slope: math.sqrt(2 / ((1 + slope**2) * fan_in)),
    tuple((f"fan_in={fan_in}, slope={slope:g}", (fan_in, slope)) for fan_in, slope in ((50, 0.2), (128, 0.0), (300, 0.5))),
    (("this is the variance. The standard deviation is asked for: take the root.",
      lambda fan_in, slope: 2 / ((1 + slope**2) * fan_in)),
     ("the slope is ignored: this is He's rule for the plain ReLU. The negative half passes something on too.",
      lambda fan_in, slope: math.sqrt(2 / fan_in)),
     ("the 2 is forgotten: each half of a Gaussian carries half of its mean square.",
      lambda fan_in, slope: math.sqrt(1 / ((1 + slope**2) * fan_in))),
     ("this is the rule for the identity or for tanh near zero, 1/fan_in. A leaky ReLU passes on less.",
      lambda fan_in, slope: math.sqrt(1 / fan_in)),
     ("the slope is not squared: the negative half is multiplied by it, so its mean square by its square.",
      lambda fan_in, slope: math.sqrt(2 / ((1 + slope) * fan_in))),
     ("upside down: what passes less needs larger weights, so (1 + slope^2)/2 divides.",
      lambda fan_in, slope: math.sqrt((1 + slope**2) / (2 * fan_in))),
     ("fan_in is outside the root. A sum of fan_in independent terms has fan_in times their variance.",
      lambda fan_in, slope: math.sqrt(2 / (1 + slope**2)) / fan_in)),
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
    tuple((f"scale={scale:g}, depth={depth}, layer={layer}", (scale, depth, layer))
          for scale, depth, layer in ((0.5, 4, 1), (3.0, 6, 2), (1.5, 5, 5))),
    (("the readout is forgotten: D hidden layers have D + 1 weight matrices.",
      lambda scale, depth, layer: _scaled(scale, depth, depth - 1, depth - layer)),
     ("the gradient of W is the product of delta and of the h below it, and h has grown too, by scale^(layer - 1).",
      lambda scale, depth, layer: _scaled(scale, depth + 1, depth + 1 - layer, depth + 1 - layer)),
     ("the gradient by W does not hold W itself as a factor: the output is linear in each matrix, with D others beside it.",
      lambda scale, depth, layer: _scaled(scale, depth + 1, depth + 1, depth + 1 - layer)),
     ("delta of a layer is the gradient behind its matrix, not before it: only the matrices above count, D + 1 - layer.",
      lambda scale, depth, layer: _scaled(scale, depth + 1, depth, depth + 2 - layer)),
     ("delta counts the matrices above the layer, not those up to it.",
      lambda scale, depth, layer: _scaled(scale, depth + 1, depth, layer)),
     ("one factor for all: but each of the matrices on the way multiplies once more.",
      lambda scale, depth, layer: _scaled(scale, 1, 1, 1)),
     ("the factors are added up, not multiplied.",
      lambda scale, depth, layer: tuple(scale * count for count in (depth + 1, depth, depth + 1 - layer)))),
)


def check_scaled_weights(fn):
    """Check ``fn(scale, depth, layer)``: factors of the output, of dL/dW and of dL/dz when a ReLU net is scaled."""
    check(SCALED_WEIGHTS, fn)
