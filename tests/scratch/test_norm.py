"""Batch normalization and its gradients against PyTorch, closed forms and invariances; its noise against simulation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bnutils.scratch import norm

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=80,
    phases=[Phase.generate, Phase.shrink],
)
ATOL = {np.float64: 1e-9, np.float32: 2e-3}  # inputs up to ~30, divided by at least sqrt(eps) = 3e-3


def draw(shape, axis, *, seed, dtype=np.float64, mean=3.0):
    """A batch and, in the shape that remains beside ``axis``, a scale, a shift, a mean and a variance."""
    rng = np.random.default_rng(seed)
    remaining = tuple(n for a, n in enumerate(shape) if a not in {b % len(shape) for b in np.atleast_1d(axis)})
    x = rng.normal(mean, 2, shape).astype(dtype)
    gamma, beta, mu = (rng.normal(size=remaining).astype(dtype) for _ in range(3))
    return x, gamma, beta, mu, rng.uniform(0.5, 2, remaining).astype(dtype)


def torch_batch_norm(x, gamma, beta, axis, eps, statistics=(None, None)):
    """``torch.nn.functional.batch_norm`` after moving the averaged axes to the front and flattening both groups."""
    axes = sorted({a % x.ndim for a in np.atleast_1d(axis)})
    moved = np.moveaxis(x, axes, range(len(axes)))
    flat = torch.tensor(moved.reshape(math.prod(moved.shape[: len(axes)]), -1))
    given = [None if s is None else torch.tensor(s.reshape(-1)) for s in statistics]
    y = torch.nn.functional.batch_norm(
        flat,
        *given,
        torch.tensor(gamma.reshape(-1)),
        torch.tensor(beta.reshape(-1)),
        training=statistics[0] is None,
        eps=eps,
    )
    return np.moveaxis(y.numpy().reshape(moved.shape), range(len(axes)), axes)


@st.composite
def layouts(draw_):
    """A shape of 2 to 4 axes and a set of them with two values or more, some counted from the end."""
    shape = draw_(st.lists(st.integers(1, 5), min_size=2, max_size=4).filter(lambda s: max(s) > 1))
    axes = draw_(
        st.lists(st.sampled_from(range(len(shape))), min_size=1, unique=True).filter(
            lambda axes: math.prod(shape[a] for a in axes) > 1
        )
    )
    axes = tuple(a - len(shape) if draw_(st.booleans()) else a for a in axes)
    return tuple(shape), axes[0] if len(axes) == 1 and draw_(st.booleans()) else axes


@STEADY
@given(layouts(), st.sampled_from([np.float64, np.float32]), st.sampled_from([1e-5, 1e-2, 1.0]), st.integers(0, 10**6))
def test_equals_pytorch_over_any_shape_and_axis_set(layout, dtype, eps, seed):
    shape, axis = layout
    x, gamma, beta, mu, var = draw(shape, axis, seed=seed, dtype=dtype)
    y, _ = norm.batch_norm(x, gamma, beta, axis=axis, eps=eps)
    np.testing.assert_allclose(y, torch_batch_norm(x, gamma, beta, axis, eps), rtol=0, atol=ATOL[dtype])
    y = norm.batch_norm_inference(x, mu, var, gamma, beta, axis=axis, eps=eps)
    np.testing.assert_allclose(y, torch_batch_norm(x, gamma, beta, axis, eps, (mu, var)), rtol=0, atol=ATOL[dtype])


def test_images_have_one_pair_of_statistics_a_channel():
    """As many channels as columns: a scale that lands on the wrong axis still broadcasts, caught only by value."""
    x, gamma, beta, _, _ = draw((3, 4, 4, 4), (0, 2, 3), seed=1)
    y, _ = norm.batch_norm(x, gamma, beta, axis=(0, 2, 3))
    x, gamma, beta = map(torch.tensor, (x, gamma, beta))
    expected = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True)
    np.testing.assert_allclose(y, expected.numpy(), rtol=0, atol=1e-12)


def test_variance_of_the_normalised_is_v_over_v_plus_eps():
    x, _, _, _, _ = draw((7, 3), 0, seed=2)
    x_hat, _ = norm.batch_norm(x, np.ones(3), np.zeros(3), eps=0.5)
    v = x.var(0)
    np.testing.assert_allclose(x_hat.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(x_hat.var(0), v / (v + 0.5), rtol=1e-13)


def test_scale_and_shift_are_the_new_standard_deviation_and_mean():
    x, gamma, beta, _, _ = draw((9, 4), 0, seed=3)
    y, _ = norm.batch_norm(x, gamma, beta, eps=0.0)
    np.testing.assert_allclose(y.mean(0), beta, rtol=0, atol=1e-14)
    np.testing.assert_allclose(y.std(0), np.abs(gamma), rtol=1e-13)


def test_units_of_the_input_do_not_matter_when_eps_follows():
    """a x + b with eps a^2 gives the same output: eps has the units of x squared. With eps unchanged it does not."""
    x, gamma, beta, _, _ = draw((6, 3), 0, seed=4)
    a, b = np.array([0.01, 3.0, 100.0]), np.array([-5.0, 0.0, 7.0])
    for k in range(3):  # one scale a feature, hence one eps a feature
        y, _ = norm.batch_norm(x[:, [k]], gamma[[k]], beta[[k]], eps=0.1)
        moved, _ = norm.batch_norm(a[k] * x[:, [k]] + b[k], gamma[[k]], beta[[k]], eps=0.1 * a[k] ** 2)
        np.testing.assert_allclose(moved, y, rtol=0, atol=1e-10)
    unscaled, _ = norm.batch_norm(0.01 * x, gamma, beta, eps=0.1)
    assert np.abs(unscaled - norm.batch_norm(x, gamma, beta, eps=0.1)[0]).max() > 0.1


def test_order_of_the_batch_only_orders_the_output():
    x, gamma, beta, _, _ = draw((8, 3), 0, seed=5)
    order = np.random.default_rng(6).permutation(8)
    y, _ = norm.batch_norm(x, gamma, beta)
    np.testing.assert_allclose(norm.batch_norm(x[order], gamma, beta)[0], y[order], rtol=0, atol=1e-12)


def test_the_two_modes_agree_when_given_the_statistics_of_the_batch():
    x, gamma, beta, _, _ = draw((5, 4, 3), (0, 2), seed=7)
    mean, var = norm.moments(x, (0, 2))
    y = norm.batch_norm_inference(x, mean.squeeze((0, 2)), var.squeeze((0, 2)), gamma, beta, axis=(0, 2), eps=1e-3)
    np.testing.assert_allclose(y, norm.batch_norm(x, gamma, beta, axis=(0, 2), eps=1e-3)[0], rtol=0, atol=1e-13)


def test_inference_treats_every_example_alone():
    x, gamma, beta, mean, var = draw((6, 3), 0, seed=8)
    alone = [norm.batch_norm_inference(row[None], mean, var, gamma, beta) for row in x]
    np.testing.assert_array_equal(np.concatenate(alone), norm.batch_norm_inference(x, mean, var, gamma, beta))
    assert norm.batch_norm_inference(x[:0], mean, var, gamma, beta).shape == (0, 3)


def test_float32_stays_accurate_at_a_mean_of_ten_thousand():
    x, gamma, beta, _, _ = draw((512, 4), 0, seed=9, dtype=np.float32, mean=1e4)
    y, _ = norm.batch_norm(x, gamma, beta)
    exact, _ = norm.batch_norm(x.astype(np.float64), gamma, beta)
    np.testing.assert_allclose(y, exact, rtol=0, atol=0.02)
    in_one_pass = np.square(x).mean(0) - x.mean(0) ** 2
    assert not np.allclose(in_one_pass, x.astype(np.float64).var(0), rtol=0.5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_output_has_the_dtype_of_the_input(dtype):
    x, gamma, beta, mean, var = draw((6, 3), 0, seed=10)
    y, cache = norm.batch_norm(x.astype(dtype), gamma, beta, eps=np.float64(1e-3))
    assert y.dtype == cache[0].dtype == cache[1].dtype == cache[2].dtype == dtype
    assert norm.batch_norm_inference(x.astype(dtype), mean, var, gamma, beta, eps=np.float64(1e-3)).dtype == dtype
    assert {part.dtype for part in norm.moments(x.astype(dtype))} == {np.dtype(dtype)}


def test_cache_holds_what_the_backward_pass_needs():
    x, gamma, beta, _, _ = draw((6, 3), 0, seed=11)
    y, (x_hat, gamma_kept, var, eps, axis) = norm.batch_norm(x, gamma, beta, axis=(0,), eps=0.25)
    np.testing.assert_allclose(gamma_kept * x_hat + beta, y, rtol=0, atol=1e-14)
    np.testing.assert_allclose(var, x.var(0, keepdims=True), rtol=1e-13)
    assert (eps, axis) == (0.25, (0,))


def test_a_nan_spoils_its_own_feature_and_no_other():
    x, gamma, beta, _, _ = draw((6, 3), 0, seed=12)
    x[2, 1] = np.nan
    assert np.isnan(norm.batch_norm(x, gamma, beta)[0]).all(0).tolist() == [False, True, False]
    assert not np.isnan(norm.batch_norm(x, gamma, beta)[0][:, [0, 2]]).any()


def test_inputs_are_left_as_they_were():
    x, gamma, beta, mean, var = draw((6, 3), 0, seed=13)
    before = [array.copy() for array in (x, gamma, beta, mean, var)]
    norm.batch_norm(x, gamma, beta)
    norm.batch_norm_inference(x, mean, var, gamma, beta)
    for array, copy in zip((x, gamma, beta, mean, var), before):
        np.testing.assert_array_equal(array, copy)


# --- Backward ---------------------------------------------------------------------------------------------------------


def upstream(shape, seed):
    """A random upstream gradient from a generator of its own: one drawn like ``x`` would be ``x_hat`` itself."""
    return np.random.default_rng((seed, 999)).normal(size=shape)


def in_torch(x, gamma, beta, axis, eps):
    """Every node of the transform as tensors that keep their gradient."""
    axes = tuple(np.atleast_1d(axis))
    wide = {"gamma": np.expand_dims(gamma, axis), "beta": np.expand_dims(beta, axis)}
    n = {name: torch.tensor(a, requires_grad=True) for name, a in ({"x": x} | wide).items()}
    n["mean"] = n["x"].mean(axes, keepdim=True)
    n["centred"] = n["x"] - n["mean"]
    n["squared"] = n["centred"] ** 2
    n["var"] = n["squared"].mean(axes, keepdim=True)
    n["std"] = torch.sqrt(n["var"] + eps)
    n["inv_std"] = 1 / n["std"]
    n["x_hat"] = n["centred"] * n["inv_std"]
    n["scaled"] = n["gamma"] * n["x_hat"]
    n["y"] = n["scaled"] + n["beta"]
    for node in n.values():
        node.retain_grad()
    return n


@STEADY
@given(layouts(), st.sampled_from([1e-5, 1e-2, 1.0]), st.integers(0, 10**6))
def test_gradient_at_every_node_equals_autograd(layout, eps, seed):
    shape, axis = layout
    x, gamma, beta, _, _ = draw(shape, axis, seed=seed)
    dy = upstream(shape, seed)
    y, nodes = norm.batch_norm_nodes(x, gamma, beta, axis=axis, eps=eps)
    np.testing.assert_allclose(y, norm.batch_norm(x, gamma, beta, axis=axis, eps=eps)[0], rtol=0, atol=1e-10)
    gradients = norm.batch_norm_nodes_backward(dy, nodes)
    traced = in_torch(x, gamma, beta, axis, eps)
    traced["y"].backward(torch.tensor(dy))
    assert set(gradients) == set(traced)
    for name, tensor in traced.items():
        assert gradients[name].shape == nodes[name].shape
        expected = tensor.grad.numpy()
        np.testing.assert_allclose(
            gradients[name].reshape(expected.shape),
            expected,
            rtol=1e-8,
            atol=1e-10 * max(1, np.abs(expected).max()),
            err_msg=name,
        )
        np.testing.assert_allclose(
            nodes[name].reshape(expected.shape), tensor.detach().numpy(), rtol=0, atol=1e-9 / eps
        )


@STEADY
@given(layouts(), st.sampled_from([1e-5, 1e-2, 1.0]), st.integers(0, 10**6))
def test_one_line_equals_pytorch_over_any_shape_and_axis_set(layout, eps, seed):
    shape, axis = layout
    x, gamma, beta, _, _ = draw(shape, axis, seed=seed)
    dy = upstream(shape, seed)
    _, cache = norm.batch_norm(x, gamma, beta, axis=axis, eps=eps)
    traced = in_torch(x, gamma, beta, axis, eps)
    traced["y"].backward(torch.tensor(dy))
    for ours, like, name in zip(norm.batch_norm_backward(dy, cache), (x, gamma, beta), ("x", "gamma", "beta")):
        assert ours.shape == like.shape
        expected = traced[name].grad.numpy().reshape(like.shape)
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9 * max(1, np.abs(expected).max()), err_msg=name)


@STEADY
@given(layouts(), st.sampled_from([1e-2, 1.0]), st.integers(0, 10**6))
def test_second_order_equals_autograd_over_any_shape_and_axis_set(layout, eps, seed):
    shape, axis = layout
    x, gamma, beta, _, _ = draw(shape, axis, seed=seed)
    dy, ddx = upstream(shape, seed), upstream(shape, seed + 1)
    _, cache = norm.batch_norm(x, gamma, beta, axis=axis, eps=eps)
    traced, leaf = in_torch(x, gamma, beta, axis, eps), torch.tensor(dy, requires_grad=True)
    (dx,) = torch.autograd.grad(traced["y"], traced["x"], leaf, create_graph=True)
    expected = torch.autograd.grad(dx, (leaf, traced["x"], traced["gamma"]), torch.tensor(ddx))
    for ours, theirs, like in zip(norm.batch_norm_double_backward(ddx, dy, cache), expected, (dy, x, gamma)):
        assert ours.shape == like.shape
        theirs = theirs.numpy().reshape(like.shape)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * max(1, np.abs(theirs).max()))


def test_gradient_of_images_equals_pytorch():
    """As many channels as columns, so that a mean over the wrong axes still fits."""
    x, gamma, beta, _, _ = draw((4, 4, 4, 4), (0, 2, 3), seed=20)
    dy = upstream(x.shape, 20)
    _, cache = norm.batch_norm(x, gamma, beta, axis=(0, 2, 3))
    tensors = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    y = torch.nn.functional.batch_norm(tensors[0], None, None, *tensors[1:], training=True)
    for ours, theirs in zip(norm.batch_norm_backward(dy, cache), torch.autograd.grad(y, tensors, torch.tensor(dy))):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-12)


def test_gradient_ignores_the_mean_of_the_batch():
    """Adding a constant to a feature changes nothing, so the gradient over the batch sums to zero."""
    x, gamma, beta, _, _ = draw((7, 3), 0, seed=21)
    dx, _, _ = norm.batch_norm_backward(upstream((7, 3), 21), norm.batch_norm(x, gamma, beta, eps=0.5)[1])
    np.testing.assert_allclose(dx.sum(0), 0, atol=1e-13)


def test_gradient_along_x_hat_is_shrunk_to_eps_over_var_plus_eps():
    x, gamma, beta, _, _ = draw((7, 3), 0, seed=22)
    dy, v = upstream((7, 3), 22), x.var(0)
    _, cache = norm.batch_norm(x, gamma, beta, eps=0.5)
    x_hat, (dx, _, _) = cache[0], norm.batch_norm_backward(dy, cache)
    left = gamma / np.sqrt(v + 0.5) * 0.5 / (v + 0.5) * (dy * x_hat).sum(0)
    assert np.abs(left).min() > 0.01
    np.testing.assert_allclose((dx * x_hat).sum(0), left, rtol=1e-12)


def test_gradient_of_the_other_directions_is_only_scaled():
    """What is orthogonal to ones and to x_hat passes unchanged, but for gamma / sqrt(var + eps)."""
    x, gamma, beta, _, _ = draw((7, 3), 0, seed=23)
    _, cache = norm.batch_norm(x, gamma, beta, eps=0.5)
    basis = np.stack([np.ones((7, 3)), cache[0]])
    dy = upstream((7, 3), 23)
    for k in range(3):
        plane, *_ = np.linalg.qr(basis[:, :, k].T)
        dy[:, k] -= plane @ (plane.T @ dy[:, k])
    dx, _, _ = norm.batch_norm_backward(dy, cache)
    np.testing.assert_allclose(dx, gamma / np.sqrt(x.var(0) + 0.5) * dy, rtol=0, atol=1e-13)


def test_two_values_leave_an_eps_residue_of_the_gradient():
    x, gamma, beta, _, _ = draw((2, 3), 0, seed=24)
    dy, v = upstream((2, 3), 24), x.var(0)
    dx, _, _ = norm.batch_norm_backward(dy, norm.batch_norm(x, gamma, beta, eps=1e-3)[1])
    np.testing.assert_allclose(dx, gamma / np.sqrt(v + 1e-3) * 1e-3 / (v + 1e-3) * (dy - dy.mean(0)), rtol=1e-8)


@pytest.mark.parametrize("eps", [1e-5, 0.5, 10.0])
def test_jacobian_equals_autograd_and_has_the_predicted_eigenvalues(eps):
    x = np.random.default_rng(25).normal(3, 2, 6)
    J, v = norm.batch_norm_jacobian(x, eps), x.var()
    autograd = torch.autograd.functional.jacobian(
        lambda t: (t - t.mean()) / torch.sqrt(t.var(correction=0) + eps), torch.tensor(x)
    ).numpy()
    np.testing.assert_allclose(J, autograd, rtol=0, atol=1e-13)
    np.testing.assert_allclose(
        np.linalg.eigvalsh(J) * np.sqrt(v + eps), [0, eps / (v + eps), 1, 1, 1, 1], rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(J, J.T, rtol=0, atol=1e-16)


def test_rank_of_the_jacobian():
    """N - 1 with eps; N - 2 without; N - 1 for a feature that does not vary, whose gain is 1 / sqrt(eps)."""
    x = np.random.default_rng(26).normal(size=6)
    assert [np.linalg.matrix_rank(norm.batch_norm_jacobian(x, eps), tol=1e-12) for eps in (1e-5, 0.0)] == [5, 4]
    flat = norm.batch_norm_jacobian(np.full(6, 2.0), 1e-4)
    np.testing.assert_allclose(np.linalg.eigvalsh(flat), [0] + [100] * 5, rtol=0, atol=1e-11)


def test_the_same_matrix_moves_inputs_forward_and_gradients_back():
    x, gamma, beta, _, _ = draw((6, 2), 0, seed=27)
    dy = upstream((6, 2), 27)
    dx, _, _ = norm.batch_norm_backward(dy, norm.batch_norm(x, gamma, beta)[1])
    for k in range(2):
        np.testing.assert_allclose(
            dx[:, k], gamma[k] * norm.batch_norm_jacobian(x[:, k]) @ dy[:, k], rtol=0, atol=1e-13
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_have_the_dtype_of_the_input(dtype):
    x, gamma, beta, _, _ = draw((6, 3), 0, seed=28)
    _, cache = norm.batch_norm(x.astype(dtype), gamma, beta, eps=np.float64(1e-3))
    _, nodes = norm.batch_norm_nodes(x.astype(dtype), gamma, beta, eps=np.float64(1e-3))
    dy = upstream((6, 3), 28)
    arrays = [
        *norm.batch_norm_backward(dy, cache),
        *norm.batch_norm_double_backward(dy, dy, cache),
        *norm.batch_norm_nodes_backward(dy, nodes).values(),
        norm.batch_norm_jacobian(x[:, 0].astype(dtype)),
    ]
    assert {a.dtype for a in arrays} == {np.dtype(dtype)}


def test_backward_leaves_its_input_as_it_was():
    x, gamma, beta, _, _ = draw((6, 3), 0, seed=29)
    dy, (_, cache), (_, nodes) = (
        upstream((6, 3), 29),
        norm.batch_norm(x, gamma, beta),
        norm.batch_norm_nodes(x, gamma, beta),
    )
    before = [a.copy() for a in (dy, *cache[:3], *(nodes[name] for name in nodes if name != "axis"))]
    norm.batch_norm_backward(dy, cache)
    norm.batch_norm_double_backward(dy, dy, cache)
    norm.batch_norm_nodes_backward(dy, nodes)
    for now, then in zip((dy, *cache[:3], *(nodes[name] for name in nodes if name != "axis")), before):
        np.testing.assert_array_equal(now, then)


def test_defaults_of_the_graph_and_the_jacobian_are_those_of_the_transform():
    x, gamma, beta, _, _ = draw((6, 3), 0, seed=30)
    x *= 1e-3  # so that eps shows
    np.testing.assert_allclose(
        norm.batch_norm_nodes(x, gamma, beta)[0], norm.batch_norm(x, gamma, beta)[0], rtol=0, atol=1e-12
    )
    np.testing.assert_array_equal(norm.batch_norm_jacobian(x[:, 0]), norm.batch_norm_jacobian(x[:, 0], 1e-5))


# --- The noise -------------------------------------------------------------------------------------------------------


def chi_moments(n):
    """Mean and standard deviation of sigma_B by integrating the density of a chi variable, t^(n-2) exp(-t^2/2)."""
    t = np.linspace(0, math.sqrt(n) + 12, 400_001)
    with np.errstate(divide="ignore"):
        log_density = (n - 2) * np.log(t) - t**2 / 2 if n > 2 else -(t**2) / 2
    density = np.exp(log_density - log_density.max())
    total, first, second = (np.trapezoid(density * t**k, t) for k in (0, 1, 2))
    mean = first / total
    return mean / math.sqrt(n), math.sqrt((second / total - mean**2) / n)


@pytest.mark.parametrize("n", [2, 3, 4, 8, 32, 128, 1000])
def test_exact_laws_equal_an_integral_over_the_chi_density(n):
    mean, std = chi_moments(n)
    np.testing.assert_allclose(norm.mean_of_std(n, 3.0), 3 * mean, rtol=1e-8)
    np.testing.assert_allclose(norm.std_of_std(n, 3.0), 3 * std, rtol=1e-6)


def test_exact_laws_in_the_two_smallest_batches():
    """N = 2: sigma_B is half of |x1 - x2|, a half-normal variable. N = 3: a Rayleigh variable over sqrt(3)."""
    assert norm.mean_of_std(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-14)
    assert norm.std_of_std(2) == pytest.approx(math.sqrt(1 / 2 - 1 / math.pi), rel=1e-14)
    assert norm.mean_of_std(3) == pytest.approx(math.sqrt(math.pi / 6), rel=1e-14)
    assert norm.std_of_std(3) == pytest.approx(math.sqrt((4 - math.pi) / 6), rel=1e-14)


@pytest.mark.parametrize("n", [2, 3, 8, 32])
def test_laws_equal_a_simulation(n):
    x = np.random.default_rng(14).normal(5, 2, (100_000, n))
    assert x.mean(1).std() == pytest.approx(norm.std_of_mean(n, 2.0), rel=0.01)
    assert x.std(1).mean() == pytest.approx(norm.mean_of_std(n, 2.0), rel=0.01)
    assert x.std(1).std() == pytest.approx(norm.std_of_std(n, 2.0), rel=0.01)


@pytest.mark.parametrize(
    "name, kurtosis, sigma", [("uniform", 1.8, 12**-0.5), ("laplace", 6.0, 2**0.5), ("exponential", 9.0, 1.0)]
)
def test_law_for_large_batches_needs_only_the_kurtosis(name, kurtosis, sigma):
    x = getattr(np.random.default_rng(15), name)(size=(4000, 1000))
    assert x.std(1).std() == pytest.approx(norm.std_of_std_large_n(1000, sigma, kurtosis), rel=0.05)
    assert x.mean(1).std() == pytest.approx(norm.std_of_mean(1000, sigma), rel=0.05)


def test_exact_law_approaches_the_large_one_as_one_over_n():
    """The relative difference is 1/(8N) + O(1/N^2): a tenth of it at ten times the batch, 17 % at N = 2."""
    gap = {n: norm.std_of_std_large_n(n) / norm.std_of_std(n) - 1 for n in (2, 100, 1000, 10_000)}
    assert gap[2] == pytest.approx(0.173, abs=5e-4)
    for n in (100, 1000, 10_000):
        assert n * gap[n] == pytest.approx(1 / 8, rel=0.02)


def test_exact_law_keeps_four_digits_up_to_its_limit():
    n = norm.LARGEST_N
    assert norm.std_of_std(n) == pytest.approx(norm.std_of_std_large_n(n) / (1 + 1 / (8 * n)), rel=1e-4)


def test_defaults_are_those_of_pytorch_and_of_the_standard_normal():
    x, gamma, beta, mean, var = draw((6, 3), 0, seed=16)
    assert torch.nn.BatchNorm1d(3).eps == 1e-5
    np.testing.assert_array_equal(
        norm.batch_norm(x, gamma, beta)[0], norm.batch_norm(x, gamma, beta, axis=0, eps=1e-5)[0]
    )
    np.testing.assert_array_equal(
        norm.batch_norm_inference(x, mean, var, gamma, beta),
        norm.batch_norm_inference(x, mean, var, gamma, beta, axis=0, eps=1e-5),
    )
    for law in (norm.std_of_mean, norm.mean_of_std, norm.std_of_std, norm.std_of_std_large_n):
        assert law(8) == law(8, 1.0) == law(8, 2.0) / 2


def test_what_does_not_scatter_has_no_noise():
    """sigma = 0; and to first order a fair coin, of kurtosis 1, whose batch deviates only in the second."""
    assert (
        norm.std_of_mean(8, 0.0)
        == norm.mean_of_std(8, 0.0)
        == norm.std_of_std(8, 0.0)
        == norm.std_of_std_large_n(8, 0.0)
        == 0
    )
    assert norm.std_of_std_large_n(8, kurtosis=1) == 0


def test_positions_are_worth_what_their_correlation_says():
    """p = HW / (1 + (HW - 1) rho), with rho the mean correlation of two different positions; and never below 1."""
    rng = np.random.default_rng(31)
    x = np.cumsum(rng.normal(size=(50, 3, 4, 5)), axis=3) + rng.normal(size=(50, 3, 1, 1))
    for channel, p in enumerate(norm.effective_positions(x)):
        centred = (x[:, channel] - x[:, channel].mean()).reshape(50, 20)
        covariance = centred.T @ centred / 50
        rho = (covariance.sum() - np.trace(covariance)) / (20 * 19) / np.square(centred).mean()
        assert p == pytest.approx(20 / (1 + 19 * rho), rel=1e-9) and p >= 1


def test_the_mean_of_a_batch_scatters_by_the_effective_number_of_its_positions():
    rng = np.random.default_rng(32)
    x = rng.normal(size=(40, 2, 3, 3)) * 2 + rng.normal(size=(40, 2, 1, 1)) * np.array([0.1, 3.0])[:, None, None]
    drawn = x[rng.integers(0, 40, (20_000, 8))].mean(axis=(1, 3, 4)).std(axis=0)
    np.testing.assert_allclose(drawn, x.std(axis=(0, 2, 3)) / np.sqrt(8 * norm.effective_positions(x)), rtol=0.03)


def test_what_an_example_is_worth_at_the_ends():
    rng = np.random.default_rng(33)
    flat = np.broadcast_to(rng.normal(size=(30, 1, 1, 1)), (30, 1, 4, 4))
    assert norm.effective_positions(flat)[0] == pytest.approx(1, rel=1e-12)
    assert norm.effective_positions(rng.normal(size=(20_000, 1, 4, 4)))[0] == pytest.approx(16, rel=0.05)
    sign = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert norm.effective_positions(rng.integers(1, 9, (30, 1, 1, 1)) * sign)[0] == np.inf
    last = rng.normal(size=(30, 4, 4, 2))
    np.testing.assert_allclose(
        norm.effective_positions(last, (1, 2)), norm.effective_positions(last.transpose(0, 3, 1, 2)), rtol=1e-12
    )


# --- Errors ----------------------------------------------------------------------------------------------------------

X, ONE, ZERO = np.arange(12.0).reshape(4, 3), np.ones(3), np.zeros(3)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: norm.batch_norm(X, np.ones(4), ZERO), r"expected gamma of shape \(3,\), got \(4,\)"),
        (lambda: norm.batch_norm(X, ONE, np.zeros((1, 3))), r"expected beta of shape \(3,\), got \(1, 3\)"),
        (lambda: norm.batch_norm(X, 1.0, ZERO), r"expected gamma of shape \(3,\), got \(\)"),
        (
            lambda: norm.batch_norm_inference(X, np.zeros(2), ONE, ONE, ZERO),
            r"expected mean of shape \(3,\), got \(2,\)",
        ),
        (
            lambda: norm.batch_norm_inference(X, ZERO, np.ones(2), ONE, ZERO),
            r"expected var of shape \(3,\), got \(2,\)",
        ),
        (lambda: norm.batch_norm_inference(X, ZERO, -ONE, ONE, ZERO), "expected a variance of 0 or more, got -1.0"),
        (lambda: norm.batch_norm(X[:0], ONE, ZERO), "expected 2 or more values a feature, got an empty batch"),
        (lambda: norm.moments(X[:0]), "expected 1 or more values a feature, got an empty batch"),
        (lambda: norm.batch_norm(X[:1], ONE, ZERO), "got one value: .*every output is beta"),
        (lambda: norm.batch_norm(X, np.ones((4, 3)), np.zeros((4, 3)), axis=()), "got one value"),
        (lambda: norm.batch_norm(X.astype(int), ONE, ZERO), r"got int64; convert it with x.astype\(float\)"),
        (
            lambda: norm.batch_norm_inference([[1, 2, 3]], ZERO, ONE, ONE, ZERO),
            r"got int64; convert it with x.astype\(float\)",
        ),
        (lambda: norm.moments(X > 3), "expected a floating-point x, got bool"),
        (lambda: norm.batch_norm(X, ONE, ZERO, eps=-1e-5), "expected eps of 0 or more, got -1e-05"),
        (lambda: norm.batch_norm(X, ONE, ZERO, eps=math.nan), "expected eps of 0 or more, got nan"),
        (
            lambda: norm.batch_norm(X * 0, ONE, ZERO, eps=0),
            "eps=0 with a variance of 0 in 3 of 3 features: 0/0; give a positive eps",
        ),
        (lambda: norm.batch_norm_inference(X, ZERO, ZERO, ONE, ZERO, eps=0), "give a positive eps"),
        (
            lambda: norm.batch_norm(X, ONE, ZERO, axis=2),
            r"expected axes from -2 to 1 for x of shape \(4, 3\), got axis=2",
        ),
        (lambda: norm.moments(X, (0, -3)), r"expected axes from -2 to 1 .* got axis=\(0, -3\)"),
        (lambda: norm.moments(X, (1, -1)), r"expected each axis once .* got axis=\(1, -1\)"),
        (
            lambda: norm.batch_norm_backward(ONE, norm.batch_norm(X, ONE, ZERO)[1]),
            r"expected dy of shape \(4, 3\), .* got \(3,\)",
        ),
        (
            lambda: norm.batch_norm_nodes_backward(X[:3], norm.batch_norm_nodes(X, ONE, ZERO)[1]),
            r"expected dy of shape \(4, 3\)",
        ),
        (
            lambda: norm.batch_norm_double_backward(ONE, X, norm.batch_norm(X, ONE, ZERO)[1]),
            r"expected ddx of shape \(4, 3\)",
        ),
        (
            lambda: norm.batch_norm_double_backward(X, ONE, norm.batch_norm(X, ONE, ZERO)[1]),
            r"expected dy of shape \(4, 3\)",
        ),
        (lambda: norm.batch_norm_nodes(X[:1], ONE, ZERO), "got one value: .*every output is beta"),
        (lambda: norm.batch_norm_nodes(X, np.ones(4), ZERO), r"expected gamma of shape \(3,\), got \(4,\)"),
        (lambda: norm.batch_norm_nodes(X * 0, ONE, ZERO, eps=0), "give a positive eps"),
        (
            lambda: norm.batch_norm_jacobian(X),
            r"expected the values of one feature, shape \(N,\), got shape \(4, 3\); take one column",
        ),
        (lambda: norm.batch_norm_jacobian(ONE, 0.0), "give a positive eps"),
        (lambda: norm.batch_norm_jacobian(X[0].astype(int)), "got int64"),
        (lambda: norm.effective_positions(X, (0,)), r"expected the axes of positions, got axis=\(0,\)"),
        (lambda: norm.effective_positions(X, (5,)), "expected axes from -2 to 1"),
        (lambda: norm.std_of_mean(1), "expected n of 2 or more, got 1"),
        (lambda: norm.mean_of_std(0), "expected n of 2 or more, got 0"),
        (lambda: norm.std_of_std(math.nan), "expected n of 2 or more, got nan"),
        (lambda: norm.std_of_std_large_n(1), "expected n of 2 or more, got 1"),
        (lambda: norm.std_of_std(10**7), "expected n up to 100000, got 10000000: .* std_of_std_large_n"),
        (lambda: norm.mean_of_std(10**7), "expected n up to 100000, got 10000000"),
        (lambda: norm.std_of_mean(4, -1.0), "expected sigma of 0 or more, got -1.0"),
        (lambda: norm.std_of_std(4, math.nan), "expected sigma of 0 or more, got nan"),
        (
            lambda: norm.std_of_std_large_n(4, kurtosis=0.5),
            "expected a kurtosis of 1 or more, .* got 0.5; is yours the excess",
        ),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()
