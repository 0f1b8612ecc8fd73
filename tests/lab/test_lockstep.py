"""The lockstep trainer, held against one plain network of torch.nn, trained by torch.optim."""

import numpy as np
import pytest
import torch
from torch import nn

from bnutils import data
from bnutils.lab import lockstep as lab  # the module itself: mutations replace what is in it

F64 = torch.float64
SIZES = (6, 5, 4, 3)
LAYERS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "identity": nn.Identity}


def some_data(lanes, n=22, seed=7):
    rng = np.random.default_rng(seed)
    x = torch.tensor(rng.normal(2, 3, (lanes, n, SIZES[0])))
    return x, torch.tensor(rng.integers(0, SIZES[-1], (lanes, n)))


def trained(seeds, norm, rate, *, activation="tanh", steps=13, size=5, x=None, y=None, **watching):
    """The network of these lanes after training, its losses and its data."""
    if x is None:
        x, y = some_data(len(seeds))
    net = lab.network(SIZES, seeds, norm=norm, activation=activation, deviation=0.7, dtype=F64)
    losses = lab.train(net, x, y, seeds=seeds, rate=rate, steps=steps, size=size, **watching)
    return net, losses, x, y


def plain(seed, norm, activation):
    """One network of torch.nn with the initial weights of that lane."""
    net = lab.network(SIZES, [seed], norm=norm, activation=activation, deviation=0.7, dtype=F64)
    modules = []
    for layer, W in enumerate(net.weights):
        hidden = layer < len(net.gammas)
        linear = nn.Linear(*W.shape[1:], bias=not (norm and hidden), dtype=F64)
        with torch.no_grad():
            linear.weight.copy_(W[0].T)
            if linear.bias is not None:
                linear.bias.zero_()
        modules += [linear]
        modules += [nn.BatchNorm1d(W.shape[2], dtype=F64)] if norm and hidden else []
        modules += [LAYERS[activation]()] if hidden else []
    return nn.Sequential(*modules)


def batches(seed, n, steps, size):
    """Rows as the docstring of train says: shuffled anew in each epoch, the incomplete batch left out."""
    rng, rows = np.random.default_rng((seed, 1)), []
    while len(rows) < steps:
        order = rng.permutation(n)
        rows += [order[start : start + size] for start in range(0, n - size + 1, size)]
    return rows[:steps]


@pytest.mark.parametrize("activation", LAYERS)
@pytest.mark.parametrize("norm", [False, True])
def test_a_lane_is_a_plain_loop_over_torch_nn_and_torch_optim(norm, activation):
    seeds, norms, rates = [3, 4, 3, 4], [norm, not norm, not norm, norm], [0.3, 0.2, 0.1, 0.05]
    net, losses, x, y = trained(seeds, norms, rates, activation=activation)
    lane, seed = 3, 4
    other = plain(seed, norm, activation)
    optimizer, expected = torch.optim.SGD(other.parameters(), lr=rates[lane]), []
    for rows in batches(seed, x.shape[1], 13, 5):
        loss = nn.functional.cross_entropy(other(x[lane, rows]), y[lane, rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    np.testing.assert_allclose(losses[:, lane], expected, rtol=0, atol=1e-10)
    new, _ = some_data(4, seed=8)
    for training in (False, True):
        logits = lab.forward(net, new, training=training).logits[lane]
        np.testing.assert_allclose(logits, other.train(training)(new[lane]).detach(), rtol=0, atol=1e-10)


def test_lanes_of_one_seed_see_the_same_weights_and_batches_and_others_do_not():
    x, y = some_data(1)
    x, y = x.expand(3, -1, -1), y.expand(3, -1)
    _, losses, _, _ = trained([5, 5, 6], False, 0.1, x=x, y=y)
    np.testing.assert_array_equal(losses[:, 0], losses[:, 1])
    assert np.abs(losses[:, 0] - losses[:, 2]).min() > 1e-3
    start = lab.network(SIZES, [5, 5, 6], norm=False, dtype=F64).weights
    assert all((W[0] == W[1]).all() and (W[0] != W[2]).all() for W in start)


def test_removing_a_lane_changes_nothing_for_the_others():
    x, y = some_data(4)
    seeds, norms, rates = np.array([1, 2, 3, 4]), np.array([True, False, True, False]), np.array([0.1, 0.2, 0.3, 0.4])
    keep = [0, 2, 3]
    net, losses, _, _ = trained(seeds, norms, rates, x=x, y=y)
    less, fewer, _, _ = trained(seeds[keep], norms[keep], rates[keep], x=x[keep], y=y[keep])
    np.testing.assert_allclose(losses[:, keep], fewer, rtol=0, atol=1e-12)
    for all_lanes, some in zip(
        net.parameters() + net.means + net.variances, less.parameters() + less.means + less.variances
    ):
        np.testing.assert_allclose(all_lanes[keep], some, rtol=0, atol=1e-12)


def test_a_lane_that_diverges_leaves_the_others_alone_and_counts_as_wrong():
    x, y = some_data(3)
    x[1, 3] = np.inf
    net, losses, _, _ = trained([1, 2, 3], [True, True, False], 0.1, x=x, y=y)
    assert np.isnan(losses[-1, 1]) and np.isfinite(losses[:, [0, 2]]).all()
    share = lab.accuracy(net, x, y)
    assert share[1] == 0 and (share[[0, 2]] > 0).all()


def test_gradients_are_those_of_the_loss_as_finite_differences_have_it():
    x, y = some_data(2)
    net = lab.network(SIZES, [1, 2], norm=[True, False], deviation=0.7, dtype=F64)
    for t in net.parameters():
        t += 0.1 * torch.randn(t.shape, dtype=F64, generator=torch.Generator().manual_seed(0))
    loss, signals, found = lab.gradients(net, x, y)
    direction = [torch.randn(t.shape, dtype=F64, generator=torch.Generator().manual_seed(1)) for t in found]
    along = sum((g * d).flatten(1).sum(1) for g, d in zip(found, direction))
    ahead, behind = net.copy(), net.copy()
    lab.step(ahead, direction, torch.full((2,), -1e-6, dtype=F64))
    lab.step(behind, direction, torch.full((2,), 1e-6, dtype=F64))
    slope = (lab.gradients(ahead, x, y)[0] - lab.gradients(behind, x, y)[0]) / 2e-6
    np.testing.assert_allclose(along, slope, rtol=1e-6)
    assert not any(t.requires_grad for t in (loss, signals.logits, *signals.inputs, *net.parameters()))


def test_only_a_batch_that_may_moves_the_running_averages():
    x, y = some_data(2)
    net = lab.network(SIZES, [1, 2], norm=True, dtype=F64)
    before = [t.clone() for t in net.means + net.variances]
    lab.forward(net, x, training=True)
    lab.gradients(net, x, y)
    lab.forward(net, x, training=False)
    assert all((a == b).all() for a, b in zip(before, net.means + net.variances))
    lab.gradients(net, x, y, update=True)
    u = lab.forward(net, x, training=True).sums[0]
    np.testing.assert_allclose(net.means[0], 0.1 * u.mean(1), rtol=1e-12)
    np.testing.assert_allclose(net.variances[0], 0.9 + 0.1 * u.var(1, correction=1), rtol=1e-12)


def test_watch_is_shown_the_asked_steps_before_they_are_made():
    seen = []
    net, losses, _, _ = trained(
        [1, 2], [True, False], 0.1, watch=lambda view: seen.append((view, view.net.copy())), at=[0, 4, 12]
    )
    assert [view.step for view, _ in seen] == [0, 4, 12]
    start = lab.network(SIZES, [1, 2], norm=[True, False], deviation=0.7, dtype=F64, activation="tanh")
    assert all((a == b).all() for a, b in zip(start.parameters(), seen[0][1].parameters()))
    for view, then in seen:
        loss, signals, found = lab.gradients(then, view.x, view.y)
        np.testing.assert_array_equal(losses[view.step], view.loss)
        for given, expected in ((view.gradients, found), (view.signals.inputs, signals.inputs), ([view.loss], [loss])):
            assert all((a == b).all() for a, b in zip(given, expected, strict=True))
    last, then = seen[-1]
    lab.step(then, last.gradients, torch.full((2,), 0.1, dtype=F64))
    assert all((a == b).all() for a, b in zip(then.parameters(), net.parameters()))


def test_watching_changes_nothing():
    free, losses, _, _ = trained([1], True, 0.1)
    watched, seen, _, _ = trained(
        [1], True, 0.1, watch=lambda view: lab.forward(view.net, view.x, training=True), at=range(13)
    )
    np.testing.assert_array_equal(losses, seen)
    assert all((a == b).all() for a, b in zip(free.variances, watched.variances))


def test_signals_are_what_the_names_say():
    x, _ = some_data(2)
    net = lab.network(SIZES, [1, 2], norm=[True, False], activation="relu", dtype=F64)
    net.gammas[0][:], net.shifts[0][:] = 3, 0.5
    signals = lab.forward(net, x, training=True)
    np.testing.assert_allclose(signals.sums[0], x @ net.weights[0])
    np.testing.assert_allclose(signals.sums[1], signals.outputs[0] @ net.weights[1])
    np.testing.assert_allclose(signals.inputs[0][1], signals.sums[0][1] + 0.5)
    np.testing.assert_allclose(signals.inputs[0][0].mean(0), 0.5)
    np.testing.assert_allclose(signals.inputs[0][0].std(0, correction=0), 3, rtol=1e-4)
    np.testing.assert_array_equal(signals.outputs[0], signals.inputs[0].clamp(min=0))
    assert signals.logits.shape == (2, 22, 3) and len(signals.sums) == len(signals.outputs) == 2


@pytest.mark.parametrize("deviation, expected", [(0.3, 0.3), ("xavier", 0.1), ("he", 0.1 * np.sqrt(2))])
def test_weights_have_the_deviation_asked_for(deviation, expected):
    W = lab.network((100, 400, 3), [1, 2], norm=False, deviation=deviation).weights[0]
    np.testing.assert_allclose(W.std((1, 2)), expected, rtol=0.02)


def test_cross_gives_every_combination_once_the_last_setting_fastest():
    lanes = lab.cross(norm=(False, True), rate=(0.1, 1.0), seed=range(3))
    assert list(zip(*(column.tolist() for column in lanes.values()))) == [
        (norm, rate, seed) for norm in (False, True) for rate in (0.1, 1.0) for seed in range(3)
    ]
    assert lanes["norm"].dtype == bool


def test_every_lane_is_dealt_the_split_of_its_seed():
    dealt = lab.deal("digits", [4, 0, 4])
    expected = data.load("digits", standardise=True, seed=4)
    assert dealt.x_train.shape == (3, 1000, 64) and dealt.y_test.shape == (3, 500)
    for lane in (0, 2):
        np.testing.assert_allclose(dealt.x_validation[lane], expected.x_validation, rtol=1e-6)
        np.testing.assert_array_equal(dealt.y_validation[lane], expected.y_validation)
    assert (dealt.y_train[0] != dealt.y_train[1]).any()


def asked(**changes):
    x, y = some_data(2)
    net = lab.network(SIZES, [1, 2], norm=False, dtype=F64)
    settings = {"seeds": [1, 2], "rate": 0.1, "steps": 3, "size": 5} | changes
    return lab.train(net, x, settings.pop("y", y), **settings)


@pytest.mark.parametrize(
    "refused, message",
    [
        (lambda: lab.network((6, 3), [1], norm=False), "one or more hidden layers"),
        (lambda: lab.network(SIZES, [], norm=False), "one integer seed"),
        (lambda: lab.network(SIZES, [1.5], norm=False), r"one integer seed .*got \[1.5\]"),
        (lambda: lab.network(SIZES, [True], norm=False), "one integer seed"),
        (lambda: lab.network(SIZES, [1], norm=[True, False]), r"one norm or 1, one a lane, got shape \(2,\)"),
        (lambda: lab.network(SIZES, [1], norm=1), "norm to be True or False"),
        (lambda: lab.network(SIZES, [1], norm=True, activation="swish"), "among sigmoid, tanh.*got 'swish'"),
        (lambda: lab.network(SIZES, [1], norm=True, deviation="glorot"), "'xavier' or 'he', got 'glorot'"),
        (lambda: lab.network(SIZES, [1], norm=True, deviation=-1), "0 or more, got -1"),
        (lambda: lab.cross(seed=[]), "one or more values"),
        (lambda: lab.cross(), "got no setting"),
        (lambda: asked(seeds=[1]), "2 networks, 2 data sets and 1 seeds"),
        (lambda: asked(rate=[0.1] * 3), "one rate or 2"),
        (lambda: asked(rate=np.nan), "finite and not negative"),
        (lambda: asked(steps=0), "1 or more steps"),
        (lambda: asked(size=23), "batches of 1 to 22 images, got 3 and 23"),
        (lambda: asked(at=[1]), "watch and the steps it watches together"),
        (lambda: asked(watch=print), "watch and the steps it watches together"),
        (lambda: asked(watch=print, at=[0, 3]), r"from 0 to 2, got \[3\]"),
        (lambda: asked(y=some_data(3)[1]), "2 networks, 3 data sets"),
    ],
)
def test_what_does_not_fit_is_refused(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()


def test_a_batch_that_does_not_fit_is_refused():
    net = lab.network(SIZES, [1, 2], norm=[True, False], dtype=F64)
    with pytest.raises(ValueError, match=r"shape \(2, images, 6\), got \(2, 5, 7\)"):
        lab.forward(net, torch.zeros(2, 5, 7, dtype=F64), training=True)
    with pytest.raises(ValueError, match="two or more images"):
        lab.forward(net, torch.zeros(2, 1, 6, dtype=F64), training=True)
    lab.forward(net, torch.zeros(2, 1, 6, dtype=F64), training=False)
