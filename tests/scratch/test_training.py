"""Training against PyTorch step by step, from the same weights on the same batches; SGD against its formula."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from bnutils import data
from bnutils.scratch import network as nw
from bnutils.scratch import training as tr

STEPS, SIZE = 20, 50


def dense(rng):
    return nw.Sequential(
        nw.Linear(64, 32, rng, bias=False),
        nw.BatchNorm(32),
        nw.ReLU(),
        nw.Linear(32, 16, rng),
        nw.Tanh(),
        nw.Linear(16, 10, rng),
    )


def convolutional(rng):
    return nw.Sequential(
        nw.Conv2d(1, 4, 3, rng, padding=1),
        nw.BatchNorm(4, axis=(0, 2, 3)),
        nw.ReLU(),
        nw.MaxPool2d(2),
        nw.Conv2d(4, 8, 3, rng, padding=1),
        nw.BatchNorm(8, axis=(0, 2, 3)),
        nw.ReLU(),
        nw.MaxPool2d(2),
        nw.Flatten(),
        nw.Linear(32, 10, rng),
    )


NETWORKS = {"dense": (dense, (64,)), "convolutional": (convolutional, (1, 8, 8))}


def digits(shape):
    d = data.load("digits", standardise=True, seed=0)
    return d.x_train.reshape(-1, *shape), d.y_train, d.x_validation.reshape(-1, *shape), d.y_validation


def twin(net):
    """The same network in PyTorch, with a copy of the same parameters."""
    made = []
    for layer in net.layers:
        match layer:
            case nw.Linear(weight=w, bias=b):
                made.append(nn.Linear(*w.shape[::-1], bias=b is not None))
            case nw.Conv2d(weight=w):
                made.append(nn.Conv2d(w.shape[1], w.shape[0], w.shape[2], stride=layer.stride, padding=layer.padding))
            case nw.BatchNorm(gamma=gamma):
                made.append((nn.BatchNorm1d if layer.axis == 0 else nn.BatchNorm2d)(len(gamma)))
            case nw.MaxPool2d(size=size):
                made.append(nn.MaxPool2d(size))
            case _:
                made.append({nw.ReLU: nn.ReLU, nw.Tanh: nn.Tanh, nw.Flatten: nn.Flatten}[type(layer)]())
    made = nn.Sequential(*made).double()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.copy_(torch.tensor(ours(net.parameters, name)))
    return made


NORM_NAMES = {"weight": "gamma", "bias": "beta"}  # PyTorch's -> ours


def ours(arrays, name):
    """A parameter by PyTorch's name for it."""
    place, part = name.split(".")
    return arrays[name] if name in arrays else arrays[f"{place}.{NORM_NAMES[part]}"]


# --- Against PyTorch --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum, weight_decay", [(0.0, 0.0), (0.9, 5e-3)])
@pytest.mark.parametrize("name", NETWORKS)
def test_twenty_steps_equal_those_of_pytorch(name, momentum, weight_decay):
    build, shape = NETWORKS[name]
    x, y, x_validation, y_validation = digits(shape)
    net = build(np.random.default_rng(1))
    theirs = twin(net)
    steps = list(tr.batches(x, y, SIZE, np.random.default_rng(2)))
    assert len(steps) == STEPS
    history = tr.train(net, tr.SGD(net, 0.05, momentum, weight_decay), steps)

    optimiser = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=momentum, weight_decay=weight_decay)
    for step, (images, labels) in enumerate(steps):
        scores = theirs(torch.tensor(images))
        loss = nn.functional.cross_entropy(scores, torch.tensor(labels))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert abs(history.loss[step] - loss.item()) < 1e-9
        assert math.isclose(history.accuracy[step], (scores.argmax(1).numpy() == labels).mean())
    for key, parameter in theirs.named_parameters():
        np.testing.assert_allclose(
            ours(net.parameters, key), parameter.detach().numpy(), rtol=0, atol=1e-9, err_msg=key
        )
    for mine, other in zip(net.layers, theirs):
        if isinstance(mine, nw.BatchNorm):
            np.testing.assert_allclose(mine.running_mean, other.running_mean.numpy(), rtol=0, atol=1e-9)
            np.testing.assert_allclose(mine.running_var, other.running_var.numpy(), rtol=0, atol=1e-9)
    scores = theirs.eval()(torch.tensor(x_validation)).argmax(1).numpy()
    assert math.isclose(tr.accuracy(net, x_validation, y_validation), (scores == y_validation).mean())
    assert history.loss[-1] < history.loss[0] / 1.2


class Fixed:
    """A network of one parameter and a gradient that is said aloud."""

    def __init__(self, w):
        self.parameters, self.gradients = {"w": np.array(w)}, {}


@pytest.mark.parametrize("momentum, weight_decay", [(0.0, 0.0), (0.9, 0.0), (0.9, 0.1), (0.0, 0.3)])
def test_the_rule_equals_that_of_pytorch(momentum, weight_decay):
    """Also where the learning rate changes on the way: it scales the step, not what goes into the velocity."""
    net, w = Fixed([1.0, -2.0, 0.5]), torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    sgd, theirs = (
        tr.SGD(net, 0.1, momentum, weight_decay),
        torch.optim.SGD([w], 0.1, momentum, weight_decay=weight_decay),
    )
    rng = np.random.default_rng(3)
    for step in range(6):
        sgd.lr = theirs.param_groups[0]["lr"] = 0.1 if step < 3 else 0.02
        net.gradients = {"w": rng.normal(size=3)}
        w.grad = torch.tensor(net.gradients["w"])
        sgd.step()
        theirs.step()
        np.testing.assert_allclose(net.parameters["w"], w.detach().numpy(), rtol=0, atol=1e-14)


def test_the_first_step_is_that_without_momentum():
    net = Fixed([1.0])
    net.gradients = {"w": np.array([2.0])}
    tr.SGD(net, 0.1, momentum=0.9).step()
    np.testing.assert_allclose(net.parameters["w"], [0.8], rtol=1e-15)


def test_steps_in_one_direction_add_up():
    """To a velocity of g / (1 - momentum)."""
    net = Fixed([0.0])
    net.gradients = {"w": np.array([2.0])}
    sgd = tr.SGD(net, 0.1, momentum=0.75)
    for _ in range(200):
        sgd.step()
    np.testing.assert_allclose(sgd.velocity["w"], [8.0], rtol=1e-12)


def test_weight_decay_alone_shrinks_by_a_constant_factor():
    net = Fixed([3.0])
    net.gradients = {"w": np.zeros(1)}
    sgd = tr.SGD(net, 0.1, weight_decay=0.5)
    for _ in range(4):
        sgd.step()
    np.testing.assert_allclose(net.parameters["w"], [3 * 0.95**4], rtol=1e-14)


# --- Batches, the loop, accuracy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop_last, sizes", [(False, (4, 4, 2)), (True, (4, 4))])
def test_an_epoch_has_every_example_once_with_its_own_label(drop_last, sizes):
    x, y = np.arange(10.0)[:, None], np.arange(10)
    epoch = list(tr.batches(x, y, 4, np.random.default_rng(4), drop_last=drop_last))
    assert tuple(len(b) for _, b in epoch) == sizes
    seen = np.concatenate([b for _, b in epoch])
    assert len(set(seen)) == sum(sizes) and seen.tolist() != sorted(seen)
    for a, b in epoch:
        np.testing.assert_array_equal(a[:, 0], b)


def test_every_epoch_has_an_order_of_its_own_and_a_seed_names_it():
    x, y, rng = np.arange(10.0)[:, None], np.arange(10), np.random.default_rng(5)
    one, two, again = ([b.tolist() for _, b in tr.batches(x, y, 5, r)] for r in (rng, rng, np.random.default_rng(5)))
    assert one == again != two


def trained(seed):
    x, y, *_ = digits((64,))
    net, rng = dense(np.random.default_rng(seed)), np.random.default_rng(6)
    sgd = tr.SGD(net, 0.05, momentum=0.9)
    history = tr.train(net, sgd, tr.batches(x[:200], y[:200], 50, rng))
    return net, tr.train(net, sgd, tr.batches(x[:200], y[:200], 50, rng), history)


def test_the_same_seed_gives_the_same_bits():
    (one, first), (two, second), (other, third) = trained(7), trained(7), trained(8)
    assert first == second != third and len(first.loss) == len(first.accuracy) == 8
    for key, value in one.parameters.items():
        assert value.tobytes() == two.parameters[key].tobytes() != other.parameters[key].tobytes()


def test_any_iterable_of_pairs_will_do():
    x, y, *_ = digits((64,))
    net = dense(np.random.default_rng(9))
    seen = []
    history = tr.train(net, tr.SGD(net, 0.1), (seen.append(k) or (x[:20], y[:20]) for k in range(3)))
    assert seen == [0, 1, 2] and len(history.loss) == 3
    again = dense(np.random.default_rng(9))
    assert tr.train(again, tr.SGD(again, 0.1), [(x[:20], y[:20])] * 3) == history


def test_accuracy_leaves_the_network_as_it_was():
    x, y, *_ = digits((64,))
    net, _ = trained(10)
    bn = net.layers[1]
    before = [a.copy() for a in (*net.parameters.values(), bn.running_mean, bn.running_var)], bn.num_batches_tracked
    whole = tr.accuracy(net, x[:300] + 1, y[:300])
    assert bn.num_batches_tracked == before[1]
    for now, then in zip((*net.parameters.values(), bn.running_mean, bn.running_var), before[0]):
        np.testing.assert_array_equal(now, then)
    alone = [tr.accuracy(net, x[k : k + 1] + 1, y[k : k + 1]) for k in range(300)]  # no batch statistics
    assert math.isclose(whole, np.mean(alone)) and 0 < whole < 1


def test_a_loss_that_is_not_finite_stops_the_training_and_says_when():
    x, y, *_ = digits((64,))
    net = dense(np.random.default_rng(11))
    good, bad, history = (x[:20], y[:20]), (np.full((20, 64), np.inf), y[:20]), tr.History()
    with pytest.raises(
        FloatingPointError,
        match=r"loss is nan at step 2, counted from 0, and was .* before; try a learning rate below 0\.1",
    ):
        tr.train(net, tr.SGD(net, 0.1), [good, good, bad, good], history)
    assert len(history.loss) == len(history.accuracy) == 2 and np.isfinite(history.loss).all()
    assert all(np.isfinite(value).all() for value in net.parameters.values())
    with pytest.raises(FloatingPointError, match="at step 0, counted from 0, the first"):
        tr.train(net, tr.SGD(net, 0.1), [bad])
    with pytest.raises(
        FloatingPointError, match="got NaN for 20 of 20 examples; look at the inputs, the parameters and the running"
    ):
        tr.accuracy(net, *good)  # the bad batches went into the running statistics


# --- Errors -----------------------------------------------------------------------------------------------------------

X, Y, RNG = np.arange(8.0).reshape(4, 2), np.array([0, 1, 1, 0]), np.random.default_rng(0)
NET = nw.Sequential(nw.Linear(2, 2, RNG))


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: tr.SGD(NET, -0.1), "expected a learning rate of 0 or more, got lr=-0.1"),
        (lambda: tr.SGD(NET, math.nan), "expected a learning rate of 0 or more, got lr=nan"),
        (lambda: tr.SGD(NET, 0.1, 1.0), "expected a momentum from 0 to below 1, got 1.0"),
        (lambda: tr.SGD(NET, 0.1, weight_decay=-1), "expected a weight_decay of 0 or more, got -1"),
        (
            lambda: tr.SGD(nw.Sequential(nw.Linear(2, 2, RNG)), 0.1).step(),
            r"for parameter 0.weight, got none; call network.backward\(dy\) first",
        ),
        (lambda: tr.batches(X, Y[:3], 2, RNG), "expected one label an example, got 4 examples and 3 labels"),
        (lambda: tr.batches(X, Y, 0, RNG), "expected a batch size as an integer of 1 or more, got 0"),
        (lambda: tr.batches(X, Y, 2.0, RNG), "expected a batch size as an integer of 1 or more, got 2.0"),
        (
            lambda: tr.batches(X, Y, 5, RNG, drop_last=True),
            "expected one batch or more, got none: 4 examples, size=5, drop_last=True",
        ),
        (
            lambda: tr.train(NET, tr.SGD(nw.Sequential(), 0.1), [(X, Y)]),
            "expected an SGD of this network, got one of another",
        ),
        (lambda: tr.train(NET, tr.SGD(NET, 0.1), [(X, Y + 1)]), "expected labels from 0 to 1, got 1 to 2"),
        (lambda: tr.train(NET, tr.SGD(NET, 0.1), [(X[:, :1], Y)]), r"layer 0 \(Linear\): expected x of shape \(N, 2\)"),
        (lambda: tr.accuracy(NET, X, Y[:3]), r"expected labels of shape \(4,\), one an example, got \(3,\)"),
        (lambda: tr.accuracy(NET, X[:0], Y[:0]), "got an empty batch"),
    ],
)
def test_an_error_says_what_was_given_and_what_to_do(call, says):
    with pytest.raises(ValueError, match=says):
        call()
