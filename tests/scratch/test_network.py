"""The bookkeeping of networks: names, seeds, errors, and gradients that arrive where they belong."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bnutils.scratch import network as nw
from bnutils.scratch.gradcheck import numerical_gradient, relative_error


def dense(seed=0):
    rng = np.random.default_rng(seed)
    return nw.Sequential(
        nw.Linear(4, 5, rng),
        nw.BatchNorm(5),
        nw.Tanh(),
        nw.Linear(5, 4, rng, bias=False),
        nw.Sigmoid(),
        nw.Linear(4, 3, rng),
    )


def convolutional(seed=0, layout="NCHW"):
    rng = np.random.default_rng(seed)
    axis = (0, 2, 3) if layout == "NCHW" else (0, 1, 2)
    return nw.Sequential(
        nw.Conv2d(2, 3, 3, rng, padding=1, bias=False, layout=layout),
        nw.BatchNorm(3, axis=axis),
        nw.ReLU(),
        nw.MaxPool2d(2, layout=layout),
        nw.Conv2d(3, 2, 2, rng, layout=layout),
        nw.Flatten(),
        nw.Linear(2, 3, rng),
    )


def draw(*shapes, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


NETWORKS = {"dense": (dense, (6, 4)), "convolutional": (convolutional, (6, 2, 4, 4))}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_every_gradient_against_finite_differences(name, training):
    """By the input and by every parameter, through everything behind it; the upstream gradient is random."""
    build, shape = NETWORKS[name]
    net, (x, dy) = build(), draw(shape, (6, 3), seed=1)
    net.forward(x + 1, training=True)  # running statistics that are not their start
    net.forward(x, training)
    dx = net.backward(dy)
    assert relative_error(dx, numerical_gradient(lambda moved: net.forward(moved, training), x, dy)) < 1e-6
    gradients = net.gradients
    assert set(gradients) == set(net.parameters)

    def output(parameter, moved):
        kept = parameter.copy()
        parameter[...] = moved
        y = net.forward(x, training)
        parameter[...] = kept
        return y

    for key, parameter in net.parameters.items():
        expected = numerical_gradient(partial(output, parameter), parameter.copy(), dy)
        bound = 1e-6 * max(1, np.abs(expected).max())  # some are 0 before a BN
        assert np.abs(gradients[key] - expected).max() < bound, key


def test_a_network_equals_pytorch():
    net, (x, dy) = convolutional(), draw((6, 2, 4, 4), (6, 3), seed=2)
    y, dx = net.forward(x, training=True), net.backward(dy)
    p = {name: torch.tensor(value, requires_grad=True) for name, value in net.parameters.items()}
    t = torch.tensor(x, requires_grad=True)
    hidden = F.batch_norm(F.conv2d(t, p["0.weight"], padding=1), None, None, p["1.gamma"], p["1.beta"], training=True)
    hidden = F.conv2d(F.max_pool2d(F.relu(hidden), 2), p["4.weight"], p["4.bias"])
    expected = F.linear(hidden.flatten(1), p["6.weight"], p["6.bias"])
    gradients = torch.autograd.grad(expected, [t, *p.values()], torch.tensor(dy))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=0, atol=1e-10)
    for name, ours, theirs in zip(["x", *p], [dx, *net.gradients.values()], gradients):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-10, err_msg=name)


def test_channels_last_gives_the_same_network():
    x, dy = draw((6, 2, 4, 4), (6, 3), seed=3)
    first, last = convolutional(), convolutional(layout="NHWC")
    np.testing.assert_allclose(last.forward(x.transpose(0, 2, 3, 1), True), first.forward(x, True), rtol=0, atol=1e-12)
    np.testing.assert_allclose(last.backward(dy), first.backward(dy).transpose(0, 2, 3, 1), rtol=0, atol=1e-12)
    for name, gradient in first.gradients.items():
        np.testing.assert_allclose(last.gradients[name], gradient, rtol=0, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(last.layers[1].running_var, first.layers[1].running_var, rtol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_gives_the_same_bits(name):
    build, shape = NETWORKS[name]
    (x, dy), one, two, other = draw(shape, (6, 3), seed=4), build(5), build(5), build(6)
    for net in (one, two):
        net.forward(x, training=True)
        net.backward(dy)
    for key, value in one.parameters.items():
        assert (
            value.tobytes() == two.parameters[key].tobytes()
            and one.gradients[key].tobytes() == two.gradients[key].tobytes()
        )
    assert all((one.parameters[key] != other.parameters[key]).all() for key in one.parameters if key.endswith("weight"))


@pytest.mark.parametrize("name", NETWORKS)
def test_order_of_the_batch_only_orders_the_output(name):
    build, shape = NETWORKS[name]
    net, (x,) = build(), draw(shape, seed=7)
    order = np.random.default_rng(8).permutation(6)
    np.testing.assert_allclose(net.forward(x[order], True), net.forward(x, True)[order], rtol=0, atol=1e-12)


def test_weights_before_a_batch_normalization_have_no_scale():
    """Conv, then BN with statistics of each channel: a kernel ten times as large gives the same output, eps aside."""
    net, (x,) = convolutional(), draw((6, 2, 4, 4), seed=9)
    net.layers[1].eps = 0.0
    y = net.forward(x, training=True)
    net.layers[0].weight *= np.array([10.0, 0.1, 3.0])[:, None, None, None]
    np.testing.assert_allclose(net.forward(x, training=True), y, rtol=0, atol=1e-11)


def test_names_are_those_of_pytorch():
    rng = np.random.default_rng(0)
    assert list(dense().parameters) == ["0.weight", "0.bias", "1.gamma", "1.beta", "3.weight", "5.weight", "5.bias"]
    inner = nw.Sequential(nw.Linear(2, 2, rng, bias=False))
    assert list(nw.Sequential(nw.ReLU(), inner).parameters) == ["1.0.weight"]
    assert nw.Sequential().parameters == {} == nw.Sequential(nw.ReLU()).gradients


def test_parameters_are_the_arrays_themselves():
    net = dense()
    net.parameters["0.weight"][...] = 0
    assert (net.layers[0].weight == 0).all()
    net.layers[0].weight = weight = np.ones((5, 4))
    assert net.parameters["0.weight"] is weight


def test_gradients_are_those_of_the_last_backward_pass():
    net, (x, dy) = dense(), draw((6, 4), (6, 3), seed=10)
    assert net.gradients == {}
    net.forward(x, training=True)
    net.backward(dy)
    before = net.gradients
    net.forward(x, training=True)
    net.backward(2 * dy)
    for name, gradient in net.gradients.items():
        np.testing.assert_array_equal(gradient, 2 * before[name])


def test_scale_is_the_standard_deviation_of_the_output():
    """Of inputs with mean square 1; He's sqrt(2) by default, and biases of 0."""
    rng = np.random.default_rng(11)
    x, images = rng.normal(size=(200, 100)), rng.normal(size=(40, 25, 5, 5))
    for layer, given in ((nw.Linear(100, 200, rng), x), (nw.Conv2d(25, 60, 2, rng), images)):
        y = layer.forward(given, training=True)
        assert abs(y.std() - np.sqrt(2)) < 0.05 and (layer.bias == 0).all()
    assert abs(nw.Linear(100, 200, rng, scale=1.0).forward(x, True).std() - 1) < 0.05


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_output_and_gradients_have_the_dtype_of_the_input(dtype):
    net, (x, dy) = convolutional(), draw((6, 2, 4, 4), (6, 3), seed=12)
    y, dx = net.forward(x.astype(dtype), training=True), net.backward(dy)
    assert {y.dtype, dx.dtype, *(gradient.dtype for gradient in net.gradients.values())} == {np.dtype(dtype)}
    rng = np.random.default_rng(0)
    assert {
        a.dtype
        for layer in (nw.Linear(2, 2, rng, dtype=dtype), nw.Conv2d(2, 2, 1, rng, dtype=dtype))
        for a in layer.parameters.values()
    } == {np.dtype(dtype)}


# --- Errors -----------------------------------------------------------------------------------------------------------

X = np.arange(24.0).reshape(6, 4)
RNG = np.random.default_rng(0)


def backward_after_forward(dy):
    net = dense()
    net.forward(X, training=True)
    net.backward(dy)


@pytest.mark.parametrize(
    "call, says",
    [
        (
            lambda: dense().forward(X[:, :3], True),
            "layer 0 (Linear): expected x of shape (N, 4) for a weight of shape (5, 4), got (6, 3)",
        ),
        (lambda: dense().forward(X.astype(int), True), "layer 0 (Linear): expected a floating-point x, got int64"),
        (
            lambda: dense().forward(X[:1], True),
            "layer 1 (BatchNorm): expected 2 or more values a feature, got one value",
        ),
        (
            lambda: nw.Sequential(nw.ReLU(), nw.BatchNorm(3)).forward(X, True),
            "layer 1 (BatchNorm): expected gamma of shape (4,), got (3,)",
        ),
        (lambda: convolutional().forward(X, True), "layer 0 (Conv2d): expected x of shape (N, C, H, W), got (6, 4)"),
        (
            lambda: nw.Sequential(nw.ReLU(), nw.MaxPool2d(2)).forward(X, True),
            "layer 1 (MaxPool2d): expected x of shape (N, C, H, W)",
        ),
        (
            lambda: nw.Sequential(nw.Sequential(nw.Linear(3, 3, RNG))).forward(X, True),
            "layer 0 (Sequential): layer 0 (Linear): expected x",
        ),
        (lambda: backward_after_forward(X), "layer 5 (Linear): expected dy of shape (6, 3)"),
        (lambda: dense().backward(X[:, :3]), "layer 5 (Linear): expected a forward pass before backward, got none"),
        (
            lambda: nw.Sequential(nw.ReLU),
            "expected layers, got <class 'bnutils.scratch.network.ReLU'> as layer 0; a layer is an object",
        ),
        (lambda: nw.Sequential(nw.ReLU(), np.tanh), "as layer 1"),
        (lambda: nw.Sequential(*[nw.ReLU()] * 2), "expected each layer once, got the one at 1 (ReLU) twice"),
        (lambda: nw.Linear(0, 3, RNG), "expected sizes of 1 or more, got a weight of shape (3, 0)"),
        (lambda: nw.Conv2d(2, 3, 0, RNG), "expected sizes of 1 or more, got a weight of shape (3, 2, 0, 0)"),
    ],
)
def test_an_error_names_the_layer_and_says_what_was_given(call, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        call()
