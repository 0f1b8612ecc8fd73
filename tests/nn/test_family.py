"""Layer, instance, group and RMS normalization against torch.nn, scratch/, autograd, and what must not matter."""

import copy
import io
import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from bnutils.nn import BatchNorm2d, functional
from bnutils.nn import family as ours
from bnutils.scratch import family as scratch
from nn.compare import (
    COMPILING,
    OLD_SCRIPT,
    PLACE,
    STEADY,
    agree,
    close,
    draw,
    outcome,
    shaken,
    state,
    twins,
    unchanged,
)

SEED, EPS = st.integers(0, 10**6), st.sampled_from([1e-5, 1e-2, 1.0])
INSTANCE = {1: "InstanceNorm1d", 2: "InstanceNorm2d", 3: "InstanceNorm3d"}
SHAPE = (4, 6, 3, 2)
MEMBERS = {  # of one shape: the name of the class, and what it is made with
    "layer": ("LayerNorm", (SHAPE[1:],)),
    "instance": ("InstanceNorm2d", (6, 1e-5, 0.1, True)),
    "group": ("GroupNorm", (3, 6)),
    "rms": ("RMSNorm", (SHAPE[1:],)),
}


def member(name, seed=0, dtype=torch.float64):
    cls, arguments = MEMBERS[name]
    return twins(getattr(ours, cls), getattr(nn, cls), *arguments, seed=seed, dtype=dtype)


# --- Against torch.nn -------------------------------------------------------------------------------------------------


@STEADY
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 3), EPS, st.booleans(), st.booleans(), SEED)
def test_layer_and_rms_norm_equal_pytorch(shape, count, eps, affine, centred, seed):
    features = tuple(shape[-min(count, len(shape)) :])
    cls = "LayerNorm" if centred else "RMSNorm"
    mine, theirs = twins(getattr(ours, cls), getattr(nn, cls), features, eps, affine, seed=seed)
    agree(mine, theirs, *draw(shape, shape, shape, seed=seed))


@STEADY
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.lists(st.integers(1, 4), max_size=3), EPS, SEED)
def test_group_norm_equals_pytorch(n, groups, width, places, eps, seed):
    width = width if width * math.prod(places) > 1 else 2
    shape = (n, groups * width, *places)
    bias, affine = seed % 2 == 0, seed % 3 > 0
    mine, theirs = twins(ours.GroupNorm, nn.GroupNorm, groups, groups * width, eps, affine=affine, bias=bias, seed=seed)
    agree(mine, theirs, *draw(shape, shape, shape, seed=seed))


@STEADY
@given(
    st.integers(0, 3),
    st.integers(1, 3),
    st.lists(st.integers(1, 4), min_size=1, max_size=3).filter(lambda places: max(places) > 1),
    EPS,
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from([0.0, 0.3, 1.0, None]),
    SEED,
)
def test_instance_norm_equals_pytorch(n, channels, places, eps, options, momentum, seed):
    """Tracking or not, in both modes; n = 0 stands for one example without a batch."""
    affine, track, training = options
    cls = INSTANCE[len(places)]
    mine, theirs = (
        each.train(training)
        for each in twins(
            getattr(ours, cls), getattr(nn, cls), channels, eps, momentum, affine, track, bias=seed % 2 == 0, seed=seed
        )
    )
    shape = (n, channels, *places) if n else (channels, *places)
    agree(mine, theirs, *draw(shape, shape, shape, seed=seed))


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_precision_equals_pytorch(name, dtype):
    mine, theirs = (each.to(PLACE) for each in member(name, seed=1, dtype=dtype))
    agree(mine, theirs, *(each.to(PLACE) for each in draw(SHAPE, SHAPE, seed=2, dtype=dtype)))


@pytest.mark.parametrize("name", ["layer", "instance", "group"])
def test_half_precision_may_have_float32_parameters(name):
    mine, theirs = member(name, seed=3, dtype=torch.float32)
    x, dy = draw(SHAPE, SHAPE, seed=4, dtype=torch.bfloat16)
    agree(mine, theirs, x, dy, dtype=torch.bfloat16)


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")
@pytest.mark.parametrize("given", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("learned", [torch.float16, torch.float32, torch.float64])
def test_rms_norm_takes_any_two_dtypes(given, learned):
    """So does PyTorch's; without eps it adds the machine epsilon of the computation, float32's in half precision."""
    mine, theirs = twins(ours.RMSNorm, nn.RMSNorm, 5, seed=5, dtype=learned)
    x = draw((3, 5), seed=6, dtype=given) * 3e-4  # so small that eps is half of the mean square
    close(mine(x), theirs(x), min(given, learned, key=lambda dtype: -torch.finfo(dtype).eps))


def test_the_default_eps_of_rms_norm_is_that_of_the_computation():
    for dtype, computed in ((torch.float16, torch.float32), (torch.float64, torch.float64)):
        y = ours.RMSNorm(1, elementwise_affine=False)(torch.full((1, 1), 2.0**-12, dtype=dtype))
        expected = 2.0**-12 / math.sqrt(2.0**-24 + torch.finfo(computed).eps)
        assert float(y) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("n", [0, 1])
def test_an_empty_batch_and_a_batch_of_one(name, n):
    mine, theirs = member(name, seed=7)
    x, dy = draw((n, *SHAPE[1:]), (n, *SHAPE[1:]), seed=8)
    if name == "instance" and not n:  # PyTorch's backward pass fails
        assert all(not found.any() for found in outcome(mine, x, dy, list(mine.parameters())))
    else:
        agree(mine, theirs, x, dy)


def test_an_empty_batch_leaves_the_averages_of_instance_norm_alone():
    layer = shaken(ours.InstanceNorm1d(4, track_running_stats=True), 9)
    before = state(layer)
    assert layer(torch.zeros(0, 4, 3)).shape == (0, 4, 3)
    assert unchanged(layer, before)


@pytest.mark.parametrize("name", ["instance", "group"])
def test_channels_last_goes_as_far_as_in_pytorch(name):
    mine, theirs = member(name, seed=10)
    x, dy = (each.contiguous(memory_format=torch.channels_last) for each in draw(SHAPE, SHAPE, seed=11))
    agree(mine, theirs, x, dy)
    assert mine(x).stride() == theirs(x).stride()
    assert mine(x).is_contiguous(memory_format=torch.channels_last) is (name == "group")


@pytest.mark.parametrize(
    "make",
    [
        lambda room: room.InstanceNorm2d(6),
        lambda room: room.RMSNorm(2, elementwise_affine=False),
        lambda room: (BatchNorm2d if room is ours else nn.BatchNorm2d)(6, affine=False).double(),
    ],
    ids=["instance", "rms", "batch"],
)
def test_a_relu_in_place_behind_a_layer_without_parameters(make):
    """It writes on the output, which must not be what the backward pass still needs."""
    mine, theirs = (nn.Sequential(make(room), nn.ReLU(inplace=True)) for room in (ours, nn))
    agree(mine, theirs, *draw(SHAPE, SHAPE, seed=12))


# --- Against autograd, finite differences, scratch/ -------------------------------------------------------------------


@OLD_SCRIPT
@pytest.mark.parametrize("name", MEMBERS)
def test_gradients_of_both_orders_against_finite_differences(name):
    cls, arguments = {
        "layer": ("LayerNorm", (4,)),
        "instance": ("InstanceNorm1d", (2, 1e-5, 0.1, True)),
        "group": ("GroupNorm", (2, 4)),
        "rms": ("RMSNorm", (4,)),
    }[name]
    layer = shaken(getattr(ours, cls)(*arguments).double(), 13)
    x = draw((2, 2, 4) if name == "instance" else (2, 4), seed=14).requires_grad_()
    names = [key for key, _ in layer.named_parameters()]
    inputs = (x, *layer.parameters())

    def function(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values)), (x,))

    assert gradcheck(function, inputs, check_forward_ad=True)
    assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("name", MEMBERS)
def test_the_members_equal_those_of_scratch(name):
    mine, _ = member(name, seed=15)
    x, dy = draw(SHAPE, SHAPE, seed=16)
    learned = [p.detach().numpy() for p in mine.parameters()]
    forward = {
        "layer": lambda x, g, b: scratch.layer_norm(x, g, b),
        "instance": lambda x, g, b: scratch.instance_norm(x, g, b),
        "group": lambda x, g, b: scratch.group_norm(x, 3, g, b),
        "rms": lambda x, g: scratch.rms_norm(x, g, eps=torch.finfo(torch.float64).eps),
    }[name]
    y, cache = forward(x.numpy(), *learned)
    gradients = getattr(scratch, f"{name}_norm_backward")(dy.numpy(), cache)
    for a, b in zip(outcome(mine, x, dy, list(mine.parameters())), (y, *gradients), strict=True):
        close(a, torch.tensor(b))


@OLD_SCRIPT
def test_forward_mode_and_vmap():
    mine, theirs = member("group", seed=17)
    x, t = draw(SHAPE, SHAPE, seed=18)
    for a, b in zip(torch.func.jvp(mine, (x,), (t,)), torch.func.jvp(theirs, (x,), (t,))):
        close(a, b)
    batches = draw((3, *SHAPE), seed=19)
    close(torch.func.vmap(mine)(batches), torch.stack([theirs(each) for each in batches]))


@COMPILING
@pytest.mark.parametrize("name", MEMBERS)
def test_the_members_compile_without_a_graph_break(name):
    mine, theirs = member(name, seed=20)
    x, dy = draw(SHAPE, SHAPE, seed=21)
    compiled = torch.compile(mine, fullgraph=True, backend="eager")
    for a, b in zip(outcome(compiled, x, dy), outcome(theirs, x, dy)):
        close(a, b)


# --- One idea ---------------------------------------------------------------------------------------------------------


def test_the_members_differ_in_one_tuple():
    """Without parameters, each is one function over another area."""
    x = draw(SHAPE, seed=22)
    y = functional.normalise
    split = x.view(4, 3, 2, 3, 2)
    close(BatchNorm2d(6, affine=False).double()(x), y(x, (0, 2, 3)))
    close(ours.LayerNorm(SHAPE[1:], elementwise_affine=False)(x), y(x, (1, 2, 3)))
    close(ours.InstanceNorm2d(6)(x), y(x, (2, 3)))
    close(ours.GroupNorm(3, 6, affine=False)(x), y(split, (2, 3, 4)).view(SHAPE))
    close(ours.RMSNorm(SHAPE[1:], 1e-5, elementwise_affine=False)(x), y(x, (1, 2, 3), centre=False))


def test_one_group_is_layer_norm_and_groups_of_one_are_instance_norm():
    x = draw(SHAPE, seed=23)
    close(ours.GroupNorm(1, 6, affine=False)(x), ours.LayerNorm(SHAPE[1:], elementwise_affine=False)(x))
    close(ours.GroupNorm(6, 6, affine=False)(x), ours.InstanceNorm2d(6)(x))


def test_rms_norm_is_layer_norm_of_what_has_no_mean():
    x = draw((5, 6), seed=24)
    x -= x.mean(1, keepdim=True)
    close(ours.RMSNorm(6, 1e-5, False)(x), ours.LayerNorm(6, elementwise_affine=False)(x))


RESCALED = {  # what is scaled, and shifted, as one: how many factors there are, and the members that do not see it
    "everything": ((1, 1), {"batch", "layer", "group", "instance"}),
    "a channel": ((1, 6), {"batch", "instance"}),
    "an example": ((4, 1), {"layer", "group", "instance"}),
    "a group of an example": ((4, 3), {"group", "instance"}),
    "a channel of an example": ((4, 6), {"instance"}),
}


@pytest.mark.parametrize("shifted", [True, False])
@pytest.mark.parametrize("what", RESCALED)
@pytest.mark.parametrize("name", [*MEMBERS, "batch"])
def test_which_rescalings_leave_which_member_unchanged(name, what, shifted):
    """Those constant over whole areas. RMS norm has the area of layer norm, but sees a shift; all see a minus."""
    x = draw(SHAPE, seed=25)
    layer = shaken(BatchNorm2d(6).double(), 26) if name == "batch" else member(name, seed=26)[0]
    layer.requires_grad_(False).eps = 1e-12
    sets, unchanged = RESCALED[what]
    if not shifted and "layer" in unchanged:
        unchanged = unchanged | {"rms"}
    generator = torch.Generator().manual_seed(27)
    factor, shift = (torch.rand(sets, generator=generator, dtype=torch.float64) + 0.5 for _ in range(2))
    factor, shift = (each.repeat_interleave(6 // sets[1], 1)[:, :, None, None] for each in (factor, shift * shifted))
    y = layer(x)
    change = float((layer(factor * x + shift) - y).abs().max())
    assert change < 1e-9 if name in unchanged else change > 0.1
    assert float((layer(-factor * x) - y).abs().max()) > 0.1


@pytest.mark.parametrize("name", MEMBERS)
def test_every_example_is_treated_alone(name):
    mine, _ = member(name, seed=28)
    x, dy = draw(SHAPE, SHAPE, seed=29)
    y, dx = outcome(mine, x, dy)
    for k in range(len(x)):
        one = slice(k, k + 1)
        alone = outcome(mine, x[one], dy[one])
        close(alone[0], y[one])
        close(alone[1], dx[one])


# --- A drop-in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEMBERS)
def test_the_layer_is_pytorchs_in_kind_name_and_state(name):
    mine, theirs = member(name, seed=30)
    assert isinstance(mine, type(theirs)) and repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    for again in (copy.deepcopy(mine), saved(mine)):
        x = draw(SHAPE, seed=31)
        assert torch.equal(again(x), mine(x))


def saved(module):
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


FLOAT = torch.arange(24.0).reshape(2, 4, 3)
BAD = {
    "layer shape": (lambda room: room.LayerNorm(4), FLOAT, "expected input of shape (..., 4), normalized_shape, got"),
    "layer axes": (lambda room: room.LayerNorm((4, 3)), FLOAT[0, 0], "got (3,)"),
    "layer dtype": (lambda room: room.LayerNorm(3), FLOAT.double(), "convert one of them: input.to(dtype)"),
    "layer half": (lambda room: room.LayerNorm(3).half(), FLOAT, "expected an input of dtype torch.float16"),
    "rms shape": (lambda room: room.RMSNorm(4), FLOAT, "expected input of shape (..., 4), normalized_shape, got"),
    "rms axes": (lambda room: room.RMSNorm((4, 3)), FLOAT[0, 0], "expected input of shape (..., 4, 3)"),
    "rms integers": (lambda room: room.RMSNorm(3), FLOAT.long(), "expected a floating-point input, got torch.int64"),
    "group axes": (lambda room: room.GroupNorm(2, 4), FLOAT[0, :, 0], "expected input of shape (N, C, ...), got (4,)"),
    "group channels": (lambda room: room.GroupNorm(2, 6), FLOAT, "expected 6 channels, num_channels, on axis 1"),
    "group divisor": (lambda room: room.GroupNorm(3, 6, affine=False), FLOAT, "got 4: shape (2, 4, 3)"),
    "group of one": (lambda room: room.GroupNorm(4, 4), FLOAT[:1, :, 0], "take fewer groups"),
    "group dtype": (lambda room: room.GroupNorm(2, 4), FLOAT.double(), "got torch.float64"),
    "instance axes": (lambda room: room.InstanceNorm2d(4), FLOAT[0], "expected 3D or 4D input (got 2D input)"),
    "instance channels": (lambda room: room.InstanceNorm1d(3, affine=True), FLOAT, "expected num_features=3 channels"),
    "instance place": (lambda room: room.InstanceNorm1d(4), FLOAT[:, :, :1], "more than 1 spatial element"),
    "instance dtype": (lambda room: room.InstanceNorm1d(4, affine=True), FLOAT.double(), "got torch.float64"),
    "instance integers": (lambda room: room.InstanceNorm1d(4), FLOAT.long(), "convert it first"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused_is_refused_as_by_pytorch_and_says_what_to_do(case):
    make, x, says = BAD[case]
    with pytest.raises(Exception) as theirs:
        make(nn)(x)
    layer = make(ours)
    before = state(layer)
    with pytest.raises(theirs.type, match=re.escape(says)):
        layer(x)
    assert unchanged(layer, before)


def test_channels_that_nothing_depends_on_are_a_warning():
    for room, says in ((nn, "does not match num_features"), (ours, "nothing here depends on num_features")):
        with pytest.warns(UserWarning, match=says):
            y = room.InstanceNorm1d(3)(FLOAT)
    close(y, nn.InstanceNorm1d(4)(FLOAT), torch.float32)
    tracking = ours.InstanceNorm1d(3, track_running_stats=True)
    before = state(tracking)
    with pytest.raises(RuntimeError, match="expected num_features=3 channels, got 4"):
        tracking(FLOAT)
    assert unchanged(tracking, before)


@pytest.mark.parametrize(
    "layer",
    [ours.LayerNorm(3, 0.0), ours.RMSNorm(3, 0.0), ours.GroupNorm(2, 4, -1.0), ours.InstanceNorm1d(4, 0.0)],
    ids=lambda layer: type(layer).__name__,
)
def test_an_eps_that_is_not_positive_is_refused(layer):
    with pytest.raises(ValueError, match="expected a positive eps"):
        layer(FLOAT)
