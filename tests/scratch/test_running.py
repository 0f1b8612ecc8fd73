"""Running statistics and the layer that keeps them against ``torch.nn.BatchNorm1d``, ``2d`` and closed forms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bnutils.scratch import norm, running

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=60,
    phases=[Phase.generate, Phase.shrink],
)
RTOL = {np.float64: 1e-10, np.float32: 1e-4}
ATOL = {np.float64: 1e-9, np.float32: 2e-3}  # as for the transform: small variances divide rounding errors


def pair(features, *, axis=0, eps=1e-5, momentum=0.1, dtype=np.float64, images=False, seed=0):
    """Our layer and PyTorch's, with one scale and one shift drawn for both."""
    rng = np.random.default_rng((17, seed))
    ours = running.BatchNorm(features, axis=axis, eps=eps, momentum=momentum, dtype=dtype)
    theirs = (torch.nn.BatchNorm2d if images else torch.nn.BatchNorm1d)(
        features, eps, momentum, dtype=getattr(torch, np.dtype(dtype).name)
    )
    ours.gamma[:], ours.beta[:] = rng.normal(size=(2, features))
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(ours.gamma))
        theirs.bias.copy_(torch.tensor(ours.beta))
    return ours, theirs


def to_torch(x, last):
    """PyTorch wants the channels second: move them there if they are last."""
    return np.moveaxis(x, -1, 1) if last else x


def run_both(ours, theirs, batches, *, training, last=False, dtype=np.float64, seed=0):
    """Forward and backward of both layers on every batch, upstream gradients random; compares all that can differ."""
    rng = np.random.default_rng((18, seed))
    theirs.train(training)
    for x in batches:
        dy = rng.normal(size=x.shape).astype(dtype)
        y = ours.forward(x, training)
        dx = ours.backward(dy)
        t = torch.tensor(to_torch(x, last), requires_grad=True)
        out = theirs(t)
        grads = torch.autograd.grad(out, (t, theirs.weight, theirs.bias), torch.tensor(to_torch(dy, last)))
        assert y.dtype == dx.dtype == dtype
        pairs = [
            (to_torch(y, last), out.detach()),
            (to_torch(dx, last), grads[0]),
            (ours.gradients["gamma"], grads[1]),
            (ours.gradients["beta"], grads[2]),
        ]
        for mine, other in pairs:
            other = other.numpy()
            np.testing.assert_allclose(mine, other, rtol=RTOL[dtype], atol=ATOL[dtype] * max(1, np.abs(other).max()))
        for name in ("running_mean", "running_var"):
            mine = getattr(ours, name)
            assert mine.dtype == dtype
            np.testing.assert_allclose(mine, getattr(theirs, name).numpy(), rtol=RTOL[dtype], atol=ATOL[dtype] / 100)
        assert ours.num_batches_tracked == int(theirs.num_batches_tracked)


@st.composite
def shapes(draw):
    """(N, F), NCHW or NHWC with two values a feature or more, and the axis set that leaves the channels."""
    kind = draw(st.sampled_from(["rows", "nchw", "nhwc"]))
    n, h, w, c = (draw(st.integers(1, 5)) for _ in range(4))
    if kind == "rows":
        return kind, (n + 1, c), draw(st.sampled_from([0, (0,), -2])), c
    n += n * h * w < 2
    if kind == "nchw":
        return kind, (n, c, h, w), draw(st.sampled_from([(0, 2, 3), (-1, 0, 2)])), c
    return kind, (n, h, w, c), draw(st.sampled_from([(0, 1, 2), (-2, 0, 1)])), c


@STEADY
@given(
    shapes(),
    st.sampled_from([np.float64, np.float32]),
    st.sampled_from([0.1, 0.01, 0.7, 1.0, 0.0, None]),
    st.sampled_from([1e-5, 1e-3]),
    st.integers(0, 10**6),
)
def test_equals_pytorch_in_both_modes_over_several_steps(layout, dtype, momentum, eps, seed):
    """Outputs, gradients and buffers: four training batches, two at inference, a training batch again."""
    kind, shape, axis, features = layout
    ours, theirs = pair(features, axis=axis, eps=eps, momentum=momentum, dtype=dtype, images=kind != "rows", seed=seed)
    rng = np.random.default_rng((19, seed))
    batches = [rng.normal(3, 2, shape).astype(dtype) for _ in range(7)]
    same = {"last": kind == "nhwc", "dtype": dtype, "seed": seed}
    run_both(ours, theirs, batches[:4], training=True, **same)
    run_both(ours, theirs, batches[4:6], training=False, **same)
    run_both(ours, theirs, batches[6:], training=True, **same)


def test_running_variance_averages_the_unbiased_one_and_the_output_uses_the_biased_one():
    ours = running.BatchNorm(2, momentum=1.0, eps=0.0)
    x = np.random.default_rng(1).normal(5, 3, (4, 2))
    y = ours.forward(x, True)
    np.testing.assert_allclose(y.var(0), 1, rtol=1e-12)
    np.testing.assert_allclose(ours.running_var, x.var(0, ddof=1), rtol=1e-12)


def test_momentum_is_the_weight_of_the_new_value():
    assert running.update(10.0, 20.0, 0.1, 5) == pytest.approx(11)
    ours = running.BatchNorm(1, momentum=0.1)
    ours.forward(np.array([[9.0], [11.0]]), True)
    np.testing.assert_allclose(ours.running_mean, [1.0], rtol=1e-14)
    np.testing.assert_allclose(ours.running_var, [0.9 + 0.1 * 2], rtol=1e-14)


def test_momentum_none_is_the_plain_average_of_the_batches():
    ours = running.BatchNorm(3, momentum=None)
    batches = np.random.default_rng(2).normal(4, 2, (6, 5, 3))
    for x in batches:
        ours.forward(x, True)
    np.testing.assert_allclose(ours.running_mean, batches.mean((0, 1)), rtol=1e-13)
    np.testing.assert_allclose(ours.running_var, batches.var(1, ddof=1).mean(0), rtol=1e-13)
    for now, corrected in zip((ours.running_mean, ours.running_var), ours.debiased()):
        np.testing.assert_array_equal(now, corrected)


def test_training_normalises_by_the_batch_whatever_came_before():
    x, old = np.random.default_rng(3).normal(5, 3, (2, 6, 2))
    fresh, used = running.BatchNorm(2), running.BatchNorm(2)
    used.forward(old * 100, True)
    np.testing.assert_array_equal(used.forward(x, True), fresh.forward(x, True))


def test_inference_changes_nothing_and_treats_every_row_alone():
    ours = running.BatchNorm(2)
    x = np.random.default_rng(4).normal(5, 3, (6, 2))
    ours.forward(x, True)
    before = ours.running_mean.copy(), ours.running_var.copy(), ours.num_batches_tracked
    y = ours.forward(x, False)
    for row, out in zip(x, y):
        np.testing.assert_allclose(ours.forward(row[None], False)[0], out, rtol=1e-13)
    for now, then in zip((ours.running_mean, ours.running_var, ours.num_batches_tracked), before):
        np.testing.assert_array_equal(now, then)


def test_inference_is_affine_and_its_gradient_is_the_slope():
    ours, _ = pair(3, seed=5)
    rng = np.random.default_rng(5)
    ours.forward(rng.normal(2, 3, (8, 3)), True)
    slope = ours.gamma / np.sqrt(ours.running_var + ours.eps)
    x, dy = rng.normal(size=(2, 5, 3))
    np.testing.assert_allclose(
        ours.forward(x, False), slope * x + (ours.beta - slope * ours.running_mean), rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(ours.backward(dy), slope * dy, rtol=1e-13)


def test_backward_after_inference_keeps_the_statistics_of_that_forward():
    """As they were when the output was made, whatever the layer has learned about batches since."""
    ours = running.BatchNorm(2)
    rng = np.random.default_rng(6)
    x, dy = rng.normal(size=(2, 5, 2))
    ours.forward(x, False)
    ours.running_var = ours.running_var * 100
    np.testing.assert_allclose(ours.backward(dy), dy / np.sqrt(1 + ours.eps), rtol=1e-13)


def test_a_step_in_place_moves_the_layer():
    ours = running.BatchNorm(2)
    ours.parameters["beta"] += 3
    np.testing.assert_allclose(ours.forward(np.random.default_rng(7).normal(size=(4, 2)), True).mean(0), 3, rtol=1e-13)
    assert set(ours.parameters) == {"gamma", "beta"} and ours.gradients == {}


# --- The start -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.1, 0.001, 0.9, 1.0, None])
def test_debiased_statistics_of_equal_batches_are_exact_from_the_first_step(momentum):
    ours = running.BatchNorm(2, momentum=momentum)
    x = np.random.default_rng(8).normal(5, 3, (6, 2))
    for _ in range(4):
        ours.forward(x, True)
        mean, var = ours.debiased()
        np.testing.assert_allclose(mean, x.mean(0), rtol=1e-11)
        np.testing.assert_allclose(var, x.var(0, ddof=1), rtol=1e-11)


def test_debiased_variance_of_a_constant_feature_is_not_negative():
    """A product of t factors and a power differ in the last bit; what refuses a negative variance would refuse that."""
    lowest = 0.0
    for momentum in (0.1, 0.03, 0.007):
        ours = running.BatchNorm(1, momentum=momentum)
        for _ in range(30):
            ours.forward(np.full((4, 1), 7.0), True)
            lowest = min(lowest, ours.debiased()[1].min())
            assert ours.debiased()[1].max() < 1e-13
    assert lowest == 0


@pytest.mark.parametrize("t", [1, 3, 20])
def test_debiased_statistics_are_right_on_average(t):
    """Expected values over 4000 layers, one a feature: of the statistics as kept, and of the corrected ones."""
    ours, kept = running.BatchNorm(4000, momentum=0.1), 1 - 0.9**t
    rng = np.random.default_rng(9)
    for _ in range(t):
        ours.forward(rng.normal(5, 2, (8, 4000)), True)
    mean, var = ours.debiased()
    assert ours.running_mean.mean() == pytest.approx(5 * kept, rel=0.01)
    assert ours.running_var.mean() == pytest.approx(0.9**t + 4 * kept, rel=0.03)
    assert mean.mean() == pytest.approx(5, rel=0.01) and var.mean() == pytest.approx(4, rel=0.03)


def test_debiased_statistics_are_a_weighted_average_of_the_batches():
    ours = running.BatchNorm(2, momentum=0.3)
    batches = np.random.default_rng(10).normal(4, 2, (5, 6, 2))
    for x in batches:
        ours.forward(x, True)
    weights = 0.3 * 0.7 ** np.arange(4, -1, -1)
    for debiased, each in zip(ours.debiased(), (batches.mean(1), batches.var(1, ddof=1))):
        np.testing.assert_allclose(debiased, np.average(each, axis=0, weights=weights), rtol=1e-13)


def test_the_average_scatters_as_m_over_2_minus_m_of_one_batch():
    ours = running.BatchNorm(20_000, momentum=0.2)
    rng = np.random.default_rng(11)
    for _ in range(60):
        ours.forward(rng.normal(0, 1, (4, 20_000)), True)
    assert ours.running_mean.var() == pytest.approx(0.2 / 1.8 / 4, rel=0.04)


# --- Errors ----------------------------------------------------------------------------------------------------------


def test_batch_of_one_is_refused_in_training_fine_at_inference_and_fine_for_an_image():
    ours, theirs = pair(3)
    x = np.random.default_rng(12).normal(size=(1, 3))
    with pytest.raises(ValueError, match="got one value"):
        ours.forward(x, True)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        theirs.train()(torch.tensor(x))
    assert ours.num_batches_tracked == 0 and not ours.running_mean.any()  # PyTorch counts the batch it refused
    run_both(*pair(3), [x], training=False)
    images = pair(3, axis=(0, 2, 3), images=True)
    run_both(*images, [np.random.default_rng(13).normal(size=(1, 3, 2, 2))], training=True)


def layer(**given):
    return running.BatchNorm(3, **given)


def after_a_batch(**given):
    ours = layer(**given)
    ours.forward(np.arange(12.0).reshape(4, 3), True)
    return ours


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: layer(momentum=-0.1), "expected a momentum from 0 to 1, .* or None, got -0.1"),
        (lambda: layer(momentum=1.1), "got 1.1"),
        (lambda: layer(momentum=math.nan), "got nan"),
        (lambda: layer().debiased(), "expected one training batch or more, got none"),
        (lambda: after_a_batch(momentum=0).debiased(), "expected a momentum above 0, got 0"),
        (lambda: layer().backward(np.ones((4, 3))), "expected a forward pass before backward, got none"),
        (lambda: after_a_batch().backward(np.ones(3)), r"expected dy of shape \(4, 3\)"),
        (lambda: layer().forward(np.ones((4, 2)), True), r"expected gamma of shape \(2,\), got \(3,\)"),
        (lambda: layer().forward(np.ones((4, 2)), False), r"expected mean of shape \(2,\), got \(3,\)"),
        (lambda: layer().forward(np.ones((4, 3), int), True), r"convert it with x.astype\(float\)"),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_wrong_upstream_gradient_after_inference():
    ours = layer()
    ours.forward(np.ones((4, 3)), False)
    with pytest.raises(ValueError, match=r"expected dy of shape \(4, 3\)"):
        ours.backward(np.ones(3))


def test_defaults_are_those_of_pytorch():
    ours, theirs = running.BatchNorm(3), torch.nn.BatchNorm1d(3)
    assert (ours.eps, ours.momentum) == (theirs.eps, theirs.momentum)
    for mine, other in (
        (ours.gamma, theirs.weight),
        (ours.beta, theirs.bias),
        (ours.running_mean, theirs.running_mean),
        (ours.running_var, theirs.running_var),
    ):
        np.testing.assert_array_equal(mine, other.detach().numpy())


def test_features_may_have_more_than_one_axis():
    ours = running.BatchNorm((2, 3))
    x = np.random.default_rng(14).normal(size=(5, 2, 3))
    np.testing.assert_array_equal(ours.forward(x, True), norm.batch_norm(x, np.ones((2, 3)), np.zeros((2, 3)))[0])
    np.testing.assert_allclose(ours.running_mean, 0.1 * x.mean(0), rtol=1e-13)
