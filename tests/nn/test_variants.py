"""Variants of batch normalization against batch normalization: of the ghosts, of the running averages, of the rows."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from bnutils.nn import variants as ours
from bnutils.nn.functional import moments, standardise
from nn.compare import COMPILING, PLACE, STEADY, agree, close, draw, outcome, shaken, state, unchanged

SEED = st.integers(0, 10**6)
PLACES = st.lists(st.integers(1, 3), max_size=2)
TORCH = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
MOMENTUM = st.sampled_from([0.1, 0.6, 1.0, None])


def pair(variant, batch_norm, seed, training=True):
    """Two layers with the same numbers, ready to train."""
    mine = shaken(variant.double(), seed)
    theirs = batch_norm.double()
    theirs.load_state_dict(mine.state_dict())
    return mine.train(training), theirs.train(training)


def flat(module):
    return list(module.parameters())


class Ghosts(nn.Module):
    """The definition: batch normalization is given one ghost after another."""

    def __init__(self, layer, sizes):
        super().__init__()
        self.layer, self.sizes = layer, sizes

    def forward(self, x):
        return torch.cat([self.layer(ghost) for ghost in x.split(self.sizes)])


# --- Ghost batch norm -------------------------------------------------------------------------------------------------


@STEADY
@given(st.integers(2, 5), st.integers(0, 3), st.integers(0, 4), PLACES, MOMENTUM, SEED)
def test_ghosts_are_batches_of_their_own(size, more, left, places, momentum, seed):
    """Outputs, gradients of both orders, running averages and their count; the last ghost takes what is left over."""
    left = left % size
    sizes = [size] * more + [size + left]
    shape = (sum(sizes), 3, *places)
    mine, theirs = pair(ours.GhostBatchNorm(3, size, momentum=momentum), TORCH[len(shape)](3, momentum=momentum), seed)
    agree(mine, Ghosts(theirs, sizes), *draw(shape, shape, shape, seed=seed))
    assert mine.num_batches_tracked == theirs.num_batches_tracked == more + 1


def test_a_batch_smaller_than_a_ghost_is_one_ghost():
    mine, theirs = pair(ours.GhostBatchNorm(3, 32), nn.BatchNorm1d(3), seed=1)
    agree(mine, theirs, *draw((5, 3), (5, 3), seed=2))


def test_ghosts_of_one_image_are_instance_norm():
    x, dy = draw((4, 3, 2, 5), (4, 3, 2, 5), seed=3)
    ghost = ours.GhostBatchNorm(3, 1, affine=False).double()
    for a, b in zip(outcome(ghost, x, dy), outcome(nn.InstanceNorm2d(3), x, dy)):
        close(a, b)


def test_many_ghosts_move_the_averages_further_than_one_batch():
    """Each has the weight momentum, so k ghosts of one mean leave (1 - momentum)^k of what was."""
    layer = ours.GhostBatchNorm(1, 2, momentum=0.25)
    layer(torch.tensor([1.0, 3.0]).repeat(3)[:, None])
    torch.testing.assert_close(layer.running_mean, torch.tensor([2 * (1 - 0.75**3)]))


def test_an_example_sees_its_own_ghost_alone():
    x, dy = draw((8, 3), (8, 3), seed=4)
    layer = ours.GhostBatchNorm(3, 4).double()
    y, dx, *_ = outcome(layer, x, dy)
    other = torch.cat([x[:4], draw((4, 3), seed=5)])
    again, dx_again, *_ = outcome(layer, other, dy)
    close(again[:4], y[:4])
    close(dx_again[:4], dx[:4])
    assert (again[4:] - y[4:]).abs().max() > 0.1


# --- Batch renormalization --------------------------------------------------------------------------------------------


@STEADY
@given(st.integers(2, 6), PLACES, MOMENTUM, SEED)
def test_without_correction_renorm_is_batch_norm(n, places, momentum, seed):
    shape = (n, 3, *places)
    mine, theirs = pair(
        ours.BatchRenorm(3, r_max=1, d_max=0, momentum=momentum), TORCH[len(shape)](3, momentum=momentum), seed
    )
    agree(mine, theirs, *draw(shape, shape, shape, seed=seed))


@STEADY
@given(st.integers(2, 6), PLACES, SEED)
def test_inside_the_clamps_training_computes_what_eval_mode_does(n, places, seed):
    """And the averages move as those of batch norm do; those that correct are the ones from before the batch."""
    shape = (n, 3, *places)
    mine, theirs = pair(ours.BatchRenorm(3, r_max=1e9, d_max=1e9), TORCH[len(shape)](3), seed)
    x = draw(shape, seed=seed)
    expected = theirs.eval()(x)
    close(mine(x), expected)
    theirs.train()(x)
    for a, b in zip(mine.buffers(), theirs.buffers()):
        close(a, b)


@pytest.mark.parametrize("r_max, d_max", [(1e9, 1e9), (1.1, 0.2)])
def test_the_gradient_holds_r_and_d_constant(r_max, d_max):
    """It is r times that of batch norm, of both orders, not that of the map that the output is."""
    x, dy, v = draw((6, 3), (6, 3), (6, 3), seed=6)
    mine, theirs = pair(
        ours.BatchRenorm(3, affine=False, r_max=r_max, d_max=d_max), nn.BatchNorm1d(3, affine=False), seed=7
    )
    sigma = (mine.running_var + mine.eps).sqrt()
    _, mean, var = moments(x, (0,))
    r = ((var + mine.eps).sqrt() / sigma).clamp(1 / r_max, r_max)
    d = ((mean - mine.running_mean) / sigma).clamp(-d_max, d_max)
    y, dx, ddx = outcome(mine, x, dy, second=v)
    y_bn, dx_bn, ddx_bn = outcome(theirs, x, dy, second=v)
    close(y, y_bn * r + d)
    close(dx, dx_bn * r)
    close(ddx, ddx_bn * r)
    _, through_all = outcome(lambda x: (x - mine.running_mean) / sigma, x, dy)
    assert (dx - through_all).abs().max() > 0.01


def test_frozen_r_and_d_pass_the_check_by_finite_differences():
    """Frozen they must be for it: a finite difference moves x, and with it the statistics that they are made of."""
    layer = shaken(ours.BatchRenorm(2, r_max=2, d_max=1).double(), 8)
    x = draw((4, 2, 2), seed=9)
    frozen = layer._correction(*standardise(x, (0, 2), eps=layer.eps)[1:])
    layer._correction = lambda mean, var: frozen
    names = [name for name, _ in layer.named_parameters()]

    def function(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values)), (x,))

    inputs = (x.requires_grad_(), *layer.parameters())
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_a_new_layer_with_wide_clamps_returns_its_input():
    """Which is why training begins with narrow ones."""
    x = draw((6, 3), seed=30)
    layer = ours.BatchRenorm(3, eps=1e-12, r_max=1e9, d_max=1e9).double()
    close(layer(x), x)
    assert (layer.running_mean - 0.1 * x.mean(0)).abs().max() < 1e-12


def test_the_clamps_can_be_widened_while_training():
    layer = ours.BatchRenorm(2, r_max=1, d_max=0).double()
    x = draw((5, 2), seed=10)
    narrow = layer(x)
    layer.r_max, layer.d_max = 3.0, 5.0
    assert (layer(x) - narrow).abs().max() > 0.1


# --- A mask -----------------------------------------------------------------------------------------------------------


def masked(shape, seed, of_channels=False):
    """A mask, of the entries or of the places of all channels, with three of each channel that count."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(shape if of_channels else (shape[0], *shape[2:]), generator=generator) < 0.6
    mask[:3] = True
    return mask


@STEADY
@given(st.integers(3, 6), PLACES, MOMENTUM, SEED, st.booleans())
def test_what_is_masked_might_as_well_not_be_there(n, places, momentum, seed, training):
    """Outputs, gradients of both orders and running averages are those of batch norm of the entries that count."""
    shape = (n, 3, *places)
    mask = masked(shape, seed)
    mine, theirs = pair(
        ours.MaskedBatchNorm(3, momentum=momentum), nn.BatchNorm1d(3, momentum=momentum), seed, training
    )
    x, dy, v = draw(shape, shape, shape, seed=seed)
    spoiled = x.masked_fill(~mask.unsqueeze(1), float("nan"))

    def rows(values):
        return values.movedim(1, -1)[mask]

    found = outcome(lambda x: mine(x, mask), spoiled, dy, flat(mine), v)
    expected = outcome(theirs, rows(x), rows(dy), flat(theirs), rows(v))
    for place, (a, b) in enumerate(zip(found, expected, strict=True)):
        if place in (0, 1, 4):  # of the shape of the input: the output and the two gradients of x
            assert not a.movedim(1, -1)[~mask].any()
            a = rows(a)
        close(a, b)
    for a, b in zip(mine.buffers(), theirs.buffers()):
        close(a, b)


@STEADY
@given(st.integers(4, 6), PLACES, SEED)
def test_a_mask_may_be_another_for_each_channel(n, places, seed):
    shape = (n, 3, *places)
    mask = masked(shape, seed, of_channels=True)
    mine, theirs = pair(ours.MaskedBatchNorm(3), nn.BatchNorm1d(3), seed)
    x, dy = draw(shape, shape, seed=seed)
    before = state(theirs)
    y, dx, dweight, dbias = outcome(lambda x: mine(x.masked_fill(~mask, float("inf")), mask), x, dy, flat(mine))
    for c in range(3):
        theirs.load_state_dict(before)
        column = mask[:, c]

        def of_one(values, c=c, column=column, theirs=theirs):  # one channel alone, its neighbours idle
            return theirs(values[:, None].expand(-1, 3))[:, c]

        expected = outcome(of_one, x[:, c][column], dy[:, c][column], flat(theirs))
        for a, b in zip(
            (y[:, c][column], dx[:, c][column], dweight[c], dbias[c]),
            expected[:2] + [gradient[c] for gradient in expected[2:]],
        ):
            close(a, b)
        for name in ("running_mean", "running_var"):
            close(getattr(mine, name)[c], getattr(theirs, name)[c])


def test_no_mask_is_batch_norm():
    mine, theirs = pair(ours.MaskedBatchNorm(3), nn.BatchNorm1d(3), seed=11)
    agree(mine, theirs, *draw((5, 3, 4), (5, 3, 4), seed=12))


@pytest.mark.parametrize("count", [0, 1])
def test_a_channel_without_two_values_keeps_its_averages(count):
    """Its outputs that count are the bias, and no gradient passes; the other channels do not notice."""
    layer, whole = pair(ours.MaskedBatchNorm(2), nn.BatchNorm1d(2), seed=13)
    x, dy = draw((5, 2), (5, 2), seed=14)
    mask = torch.ones(5, 2, dtype=torch.bool)
    mask[count:, 1] = False
    before = state(layer)
    y, dx = outcome(lambda x: layer(x.masked_fill(~mask, float("nan")), mask), x, dy)
    expected, dx_expected = outcome(whole, x, dy)
    close(y[:, 0], expected[:, 0])
    close(dx[:, 0], dx_expected[:, 0])
    close(y[:count, 1], layer.bias[1].expand(count))
    assert not y[count:, 1].any() and not dx[:, 1].any()
    for name in ("running_mean", "running_var"):
        now, then = getattr(layer, name), before[name]
        assert now[1] == then[1] and now[0] != then[0] and now.isfinite().all()
    assert layer.num_batches_tracked == before["num_batches_tracked"] + 1


def test_a_nan_in_the_upstream_gradient_of_what_is_masked_stays_out():
    layer = ours.MaskedBatchNorm(3).double()
    x, dy = draw((6, 3), (6, 3), seed=15)
    mask = masked((6, 3), seed=16)
    clean = outcome(lambda x: layer(x, mask), x, dy, flat(layer))
    spoiled = outcome(lambda x: layer(x, mask), x, dy.masked_fill(~mask[:, None], float("nan")), flat(layer))
    for a, b in zip(spoiled, clean):
        close(a, b)


def test_a_mask_by_finite_differences():
    layer = shaken(ours.MaskedBatchNorm(2).double(), 17)
    mask = masked((5, 2), seed=18, of_channels=True)
    x = draw((5, 2), seed=19).requires_grad_()
    assert gradcheck(lambda x: layer(x, mask), x)
    assert gradgradcheck(lambda x: layer(x, mask), x)


# --- Frozen -----------------------------------------------------------------------------------------------------------


@STEADY
@given(st.integers(1, 4), PLACES, SEED, st.booleans(), st.sampled_from(["load", "of"]))
def test_frozen_is_batch_norm_in_eval_mode(n, places, seed, affine, how):
    """In training too, and nothing of it moves; the checkpoint of batch norm loads, its count of batches and all."""
    shape = (n, 3, *places)
    theirs = shaken(TORCH[len(shape)](3, 1e-3, affine=affine).double(), seed)
    if how == "of":
        mine = ours.FrozenBatchNorm.of(theirs)
    else:
        mine = ours.FrozenBatchNorm(3, 1e-3).double()
        mine.load_state_dict(theirs.state_dict(), strict=affine)
    before = state(mine)
    x, dy, v = draw(shape, shape, shape, seed=seed)
    for a, b in zip(outcome(mine.train(), x, dy, second=v), outcome(theirs.eval(), x, dy, second=v)):
        close(a, b)
    assert unchanged(mine, before) and not list(mine.parameters())


def test_a_frozen_layer_is_a_copy_and_no_batch_norm():
    theirs = shaken(nn.BatchNorm2d(3), 20)
    mine = ours.FrozenBatchNorm.of(theirs)
    before = state(mine)
    theirs.reset_parameters()
    assert unchanged(mine, before)
    x = draw((4, 3, 2, 2), seed=21, dtype=torch.float32)
    torch.optim.swa_utils.update_bn([x], nn.Sequential(mine))  # resets every batch norm that it finds
    assert unchanged(mine, before)


def test_a_view_behind_a_frozen_layer_works_as_behind_batch_norm():
    x = draw((3, 2, 5), seed=23).transpose(0, 2)  # elementwise operations would keep it so
    theirs = shaken(nn.BatchNorm1d(2).double().eval(), 24)
    y = ours.FrozenBatchNorm.of(theirs)(x)
    assert y.stride() == theirs(x).stride()
    close(y.view(5, -1), theirs(x).view(5, -1))


def test_a_new_frozen_layer_changes_next_to_nothing():
    x = draw((4, 3), seed=22)
    close(ours.FrozenBatchNorm(3).double()(x), x / (1 + 1e-5) ** 0.5)


def test_renorm_without_running_statistics_is_refused():
    layer = ours.BatchRenorm(3)
    torch.func.replace_all_batch_norm_modules_(nn.Sequential(layer))
    with pytest.raises(RuntimeError, match="expected running statistics to correct towards"):
        layer(draw((4, 3), seed=1, dtype=torch.float32))


def test_a_ghost_size_may_come_from_numpy():
    layer = ours.GhostBatchNorm(3, np.arange(4)[2])
    assert str(layer).endswith("ghost_size=2)") and type(layer.ghost_size) is int


def test_clamps_that_are_tensors_are_widened_in_one_compiled_program():
    programs = []
    mine = ours.BatchRenorm(3, r_max=torch.tensor(1.0), d_max=torch.tensor(0.0))
    compiled = torch.compile(mine, backend=lambda program, _: programs.append(program) or program, fullgraph=True)
    plain = ours.BatchRenorm(3)
    for step in range(10):
        plain.r_max, plain.d_max = 1 + step / 4, step / 2.0
        mine.r_max.fill_(plain.r_max), mine.d_max.fill_(plain.d_max)
        x = draw((8, 3), seed=step, dtype=torch.float32)
        close(compiled(x), plain(x), torch.float32)
    assert len(programs) == 1 and mine.d_max == 4.5


# --- All of them ------------------------------------------------------------------------------------------------------

VARIANTS = {
    "ghost": lambda **options: ours.GhostBatchNorm(3, 2, **options),
    "renorm": lambda **options: ours.BatchRenorm(3, **options),
    "masked": lambda **options: ours.MaskedBatchNorm(3, **options),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_in_eval_mode_each_is_batch_norm_and_gives_its_checkpoint_back(name):
    mine, theirs = pair(VARIANTS[name](), nn.BatchNorm2d(3), seed=23, training=False)
    x, dy = draw((4, 3, 2, 2), (4, 3, 2, 2), seed=24)
    agree(mine, theirs, x, dy)
    mine.train()(x)
    theirs.load_state_dict(mine.state_dict())
    close(theirs(x), mine.eval()(x))


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_precision(name, dtype):
    """Against float64; half precision is computed in float32."""
    x, dy = draw((6, 3, 4), (6, 3, 4), seed=25, dtype=dtype)
    layer = shaken(VARIANTS[name]().to(dtype), 26)
    exact = VARIANTS[name]().double()
    exact.load_state_dict(layer.state_dict())
    layer.to(PLACE)
    found = outcome(layer, x.to(PLACE), dy.to(PLACE), flat(layer))
    for a, b in zip(found, outcome(exact, x.double(), dy.double(), flat(exact))):
        assert a.dtype == dtype
        close(a.cpu().double(), b, dtype)


@COMPILING
@pytest.mark.parametrize("name", VARIANTS)
def test_each_compiles_without_a_graph_break(name):
    x, dy = draw((5, 3), (5, 3), seed=27)
    layer, again = (shaken(VARIANTS[name]().double(), 28) for _ in range(2))
    compiled = torch.compile(again, fullgraph=True, backend="eager")
    for a, b in zip(outcome(compiled, x, dy), outcome(layer, x, dy)):
        close(a, b)
    for a, b in zip(again.buffers(), layer.buffers()):
        close(a, b)


@pytest.mark.parametrize("name", VARIANTS)
def test_an_empty_batch_is_counted_and_changes_nothing_else(name):
    layer = shaken(VARIANTS[name](), 29)
    before = state(layer)
    assert layer(torch.zeros(0, 3, 4)).shape == (0, 3, 4)
    assert layer.num_batches_tracked == 1
    layer.num_batches_tracked.zero_()
    assert unchanged(layer, before)


X = torch.arange(24.0).reshape(4, 3, 2)
ROWS = torch.ones(4, 2, dtype=torch.bool)


@pytest.mark.parametrize(
    "call, error, says",
    [
        (
            lambda: ours.GhostBatchNorm(3, 0),
            ValueError,
            "expected a ghost_size of 1 example or more, an integer, got 0",
        ),
        (lambda: ours.GhostBatchNorm(3, 2.0), ValueError, "an integer, got 2.0"),
        (lambda: ours.GhostBatchNorm(3, True), ValueError, "got True"),
        (lambda: ours.BatchRenorm(3, r_max=0.5), ValueError, "expected r_max of 1 or more"),
        (lambda: ours.BatchRenorm(3, d_max=-1), ValueError, "d_max=-1"),
        (lambda: ours.BatchRenorm(3, track_running_stats=False), ValueError, "expected track_running_stats=True"),
        (
            lambda: ours.FrozenBatchNorm.of(nn.BatchNorm1d(3, track_running_stats=False)),
            ValueError,
            "expected a layer with running statistics, got BatchNorm1d(3",
        ),
        (lambda: ours.FrozenBatchNorm.of(nn.Linear(3, 3)), ValueError, "expected a layer with running statistics"),
        (lambda: ours.FrozenBatchNorm(3).load_state_dict({}), RuntimeError, "Missing key(s)"),
    ],
)
def test_a_layer_that_cannot_be_made_says_why(call, error, says):
    with pytest.raises(error, match=re.escape(says)):
        call()


@pytest.mark.parametrize(
    "layer, given, error, says",
    [
        (ours.GhostBatchNorm(3, 1), (X[:, :, 0],), ValueError, "take larger ghosts"),
        (ours.GhostBatchNorm(3, 2), (X[:1, :, 0],), ValueError, "leave out a last batch of one"),
        (ours.GhostBatchNorm(4, 2), (X,), RuntimeError, "GhostBatchNorm expected 4 channels, num_features"),
        (ours.BatchRenorm(3), (X[:1, :, :1],), ValueError, "Expected more than 1 value per channel"),
        (ours.BatchRenorm(3), (X.double(),), RuntimeError, "expected an input of dtype torch.float32"),
        (
            ours.MaskedBatchNorm(3),
            (X, ROWS.float()),
            TypeError,
            "expected a mask of dtype torch.bool, got torch.float32",
        ),
        (ours.MaskedBatchNorm(3), (X, ROWS[:3]), ValueError, "expected a mask of shape (4, 2), or one with 3 axes"),
        (ours.MaskedBatchNorm(3), (X, ROWS[0]), ValueError, "broadcasts to the input, (4, 3, 2), got (2,)"),
        (ours.MaskedBatchNorm(3), (X[:0], ROWS[:3]), ValueError, "expected a mask of shape (0, 2)"),
        (ours.MaskedBatchNorm(3), (X[0, 0], None), ValueError, "MaskedBatchNorm expected 2D or 3D or 4D or 5D input"),
        (ours.FrozenBatchNorm(3), (X[:, :2],), RuntimeError, "expected 3 channels, num_features, on axis 1"),
        (ours.FrozenBatchNorm(3), (X.double(),), RuntimeError, "convert one of them"),
        (ours.FrozenBatchNorm(3), (X.long(),), NotImplementedError, "expected a floating-point input"),
    ],
)
def test_what_is_refused_leaves_the_layer_as_it_was(layer, given, error, says):
    before = state(layer)
    with pytest.raises(error, match=re.escape(says)):
        layer(*given)
    assert unchanged(layer, before)
