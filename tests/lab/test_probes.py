"""Probes, held against NumPy and against the same thing done by hand with torch.nn."""

import numpy as np
import pytest
import torch
from torch import nn

from bnutils.lab import lockstep, probes

F64 = torch.float64


def test_percentiles_are_numpys():
    values = torch.randn(2, 31, 4, dtype=F64, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(
        probes.percentiles(values, (0, 15, 50, 85)), np.percentile(values, (0, 15, 50, 85), axis=1)
    )


def example(activation="tanh"):
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 9, 6, dtype=F64, generator=g), torch.randint(0, 3, (2, 9), generator=g)
    net = lockstep.network((6, 5, 4, 3), [1, 2], norm=[True, False], activation=activation, deviation=0.5, dtype=F64)
    return net, x, y, torch.tensor([0.5, 0.2], dtype=F64)


def by_hand(net, x, y, rate, lane, layer):
    """The same with torch.nn: all parameters below the layer make their step, and no other."""
    modules = []
    for l, W in enumerate(net.weights):
        linear = nn.Linear(*W.shape[1:], dtype=F64)
        linear.weight.data, linear.bias.data = W[lane].T.clone(), torch.zeros(W.shape[2], dtype=F64)
        block = [linear]
        if l < 2:
            block += [nn.BatchNorm1d(W.shape[2], dtype=F64)] if net.norm[lane] else []
            block += [nn.Tanh()]
        modules.append(nn.Sequential(*block))
    model = nn.Sequential(*modules)

    def gradient():
        model.zero_grad()
        nn.functional.cross_entropy(model(x[lane]), y[lane]).backward()
        return model[layer][0].weight.grad.clone()

    before = gradient()
    with torch.no_grad():
        for parameter in model[:layer].parameters():
            parameter -= rate[lane] * parameter.grad
    return ((gradient() - before).norm() / before.norm()).item(), before.norm().item()


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("lane", [0, 1])
def test_the_change_of_the_gradient_is_what_torch_nn_gives(lane, layer):
    net, x, y, rate = example()
    change, size = probes.gradient_change(net, x, y, rate, layer)
    np.testing.assert_allclose([change[lane], size[lane]], by_hand(net, x, y, rate, lane, layer), rtol=1e-9)


def test_the_first_layer_has_none_below_and_no_network_is_changed():
    net, x, y, rate = example()
    before = net.copy()
    assert (probes.gradient_change(net, x, y, rate, 0)[0] == 0).all()
    assert (probes.gradient_change(net, x, y, 0 * rate, 2)[0] == 0).all()
    lists = [t for n in (before, net) for t in n.parameters() + n.means + n.variances]
    assert all((a == b).all() for a, b in zip(lists[: len(lists) // 2], lists[len(lists) // 2 :]))


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there_is_refused(layer):
    with pytest.raises(ValueError, match=f"from 0 to 2, got {layer}"):
        probes.gradient_change(*example(), layer)
