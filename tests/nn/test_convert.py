"""A model whose layers change class: same objects, same numbers, and back."""

import copy
import importlib

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from bnutils import nn as ours
from nn.compare import agree, close, draw, shaken, state

conversion = importlib.import_module("bnutils.nn.convert")  # the function of that name hides it
X, DY = draw((6, 4, 5, 5), (6, 3), seed=1)
CONVERTED = ["BatchNorm2d", "GroupNorm", "InstanceNorm2d", "LayerNorm", "RMSNorm", "BatchNorm1d"]


def network(seed=2):
    """One layer of each kind, with other numbers than those of a new one."""
    layers = [
        *(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.GroupNorm(2, 6)),
        *(nn.InstanceNorm2d(6, affine=True, track_running_stats=True), nn.Flatten(), nn.LayerNorm(54), nn.RMSNorm(54)),
        *(nn.Linear(54, 8), nn.BatchNorm1d(8, momentum=None), nn.Tanh(), nn.Linear(8, 3)),
    ]
    return shaken(nn.Sequential(*layers).double(), seed)


def kinds(model):
    return [type(module) for module in model.modules()]


@pytest.mark.parametrize("training", [True, False])
def test_a_converted_network_computes_and_learns_the_same(training):
    theirs = network().train(training)
    mine = conversion.convert(copy.deepcopy(theirs))
    changed = [type(a) for a, b in zip(mine.modules(), theirs.modules()) if type(a) is not type(b)]
    assert changed == [getattr(ours, name) for name in CONVERTED]
    agree(mine, theirs, X, DY)


def test_there_and_back_is_the_identity():
    model = network()
    before = kinds(model)
    once = kinds(conversion.convert(model))
    assert kinds(conversion.convert(model)) == once != before
    assert kinds(conversion.convert(model, to=nn)) == before
    assert kinds(conversion.convert(model, to=nn)) == before


def test_the_checkpoint_fits_either_way():
    for source, target in ((network(2), conversion.convert(network(3))), (conversion.convert(network(2)), network(3))):
        target.load_state_dict(source.state_dict())
        close(target.eval()(X), source.eval()(X))


def test_everything_that_hangs_on_a_layer_stays():
    """The objects, what an optimiser holds, hooks, modes, what is frozen; a step of training is the same step."""
    model, other = network(), network()
    model[1].eval()
    model[3].weight.requires_grad_(False)
    calls = []
    model[1].register_forward_hook(lambda *_: calls.append("hook"))
    other.load_state_dict(model.state_dict())
    other[1].eval()
    optimisers = [torch.optim.Adam(each.parameters(), 0.1) for each in (model, other)]
    objects = [*model.modules(), *model.parameters(), *model.buffers()]
    assert conversion.convert(model) is model
    assert all(a is b for a, b in zip(objects, [*model.modules(), *model.parameters(), *model.buffers()], strict=True))
    assert not model[1].training and model[4].training and not model[3].weight.requires_grad
    other[3].weight.requires_grad_(False)
    for _ in range(2):
        for each, optimiser in zip((model, other), optimisers):
            optimiser.zero_grad()
            (each(X) * DY).sum().backward()
            optimiser.step()
    assert calls == ["hook", "hook"]
    for a, b in zip(model.parameters(), other.parameters()):
        close(a, b, torch.float32)  # Adam divides by the root of tiny squares


def test_the_root_and_a_layer_in_two_places():
    assert type(conversion.convert(nn.BatchNorm2d(3))) is ours.BatchNorm2d
    shared = nn.LayerNorm(3)
    model = conversion.convert(nn.ModuleDict({"a": shared, "b": nn.Sequential(shared)}))
    assert model["a"] is model["b"][0] is shared and type(shared) is ours.LayerNorm


class Another(nn.BatchNorm2d):
    def forward(self, input):
        return input


LEFT = {
    "a subclass": lambda: Another(3),
    "synchronised": lambda: nn.SyncBatchNorm(3),
    "lazy": lambda: nn.LazyBatchNorm2d(),
    "parametrised": lambda: parametrizations.weight_norm(nn.LayerNorm((3, 4))),
    "a variant": lambda: ours.GhostBatchNorm(3, 2),
    "frozen": lambda: ours.FrozenBatchNorm(3),
    "no norm": lambda: nn.Linear(3, 3),
}


@pytest.mark.parametrize("what", LEFT)
@pytest.mark.parametrize("to", [None, nn])
def test_what_is_not_of_exactly_such_a_class_is_left_alone(what, to):
    layer = LEFT[what]()
    before = kinds(layer)
    conversion.convert(layer, to)
    assert kinds(layer) == before


def test_a_lazy_layer_can_be_converted_when_it_has_seen_a_batch():
    layer = nn.LazyBatchNorm2d()
    layer(torch.ones(2, 3, 4, 4))
    assert type(conversion.convert(layer)) is ours.BatchNorm2d


def test_a_transformer_layer_in_eval_mode_calls_no_norm(monkeypatch):
    """Its fused kernel takes their weights. The outputs are the same; in training it calls them."""
    theirs = nn.TransformerEncoderLayer(8, 2, 16, dropout=0, batch_first=True).double()
    mine = conversion.convert(copy.deepcopy(theirs))
    x = draw((2, 5, 8), seed=4)
    close(mine(x), theirs(x))
    with torch.no_grad():
        close(mine.eval()(x), theirs.eval()(x))
        monkeypatch.setattr(ours.LayerNorm, "forward", lambda self, input: pytest.fail("called"))
        mine(x)
        with pytest.raises(pytest.fail.Exception, match="called"):
            mine.train()(x)


def test_a_converted_model_is_copied_and_saved_like_any_other():
    model = conversion.convert(network()).eval()
    again = copy.deepcopy(model)
    assert kinds(again) == kinds(model) and torch.equal(again(X), model(X))


def test_another_target_is_refused_and_nothing_converted():
    model = network()
    before, kept = kinds(model), state(model)
    with pytest.raises(ValueError, match=r"expected to=None, .*, or to=torch\.nn, got 'torch'"):
        conversion.convert(model, to="torch")
    assert kinds(model) == before and all(torch.equal(kept[name], value) for name, value in model.state_dict().items())
