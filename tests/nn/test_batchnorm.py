"""The modules against those of ``torch.nn``: values, gradients, buffers, errors, and what is done with modules."""

import copy
import inspect
import io
import pickle

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.utils.checkpoint import checkpoint

from bnutils.nn import batchnorm as ours

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=60,
    phases=[Phase.generate, Phase.shrink],
)
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
ROUNDINGS = {torch.float16: 4, torch.bfloat16: 4, torch.float32: 64, torch.float64: 64}  # of the largest value
LAYOUTS = ["contiguous", "channels last", "transposed", "sliced", "expanded"]
SHAPES = {"1d": (6, 3), "1d of sequences": (4, 3, 5), "2d": (4, 3, 2, 3), "3d": (4, 3, 2, 1, 2)}
OPTIONS = {
    "default": {},
    "not affine": {"affine": False},
    "no bias": {"bias": False},
    "no statistics": {"track_running_stats": False},
    "neither": {"affine": False, "track_running_stats": False},
    "plain average": {"momentum": None},
    "momentum 0.3": {"momentum": 0.3, "eps": 1e-2},
}


def draw(*shape, seed, dtype=torch.float64, device="cpu", mean=3.0):
    """Numbers with this mean and a standard deviation of 2, the same on every device."""
    numbers = mean + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return numbers.to(dtype).to(device)


def upstream(*shape, seed, dtype=torch.float64, device="cpu"):
    return draw(*shape, seed=1000 + seed, dtype=dtype, device=device, mean=0.0)


def module_of(library, shape):
    return getattr(library, f"BatchNorm{max(len(shape) - 2, 1)}d")


def pair(shape, *, seed=0, device="cpu", dtype=torch.float64, **options):
    """Ours and theirs in one state, with parameters and buffers drawn."""
    theirs = module_of(nn, shape)(shape[1], device=device, dtype=dtype, **options)
    with torch.no_grad():
        for place, values in enumerate([*theirs.parameters(), *(b for b in theirs.buffers() if b.is_floating_point())]):
            values.copy_(0.5 + draw(shape[1], seed=seed + 77 + place, mean=0.0).abs())
    mine = module_of(ours, shape)(shape[1], device=device, dtype=dtype, **options)
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


def run(module, x, g):
    """The output, and the gradients of the input and of every parameter."""
    leaf = x.detach().requires_grad_()
    y = module(leaf)
    return y, torch.autograd.grad(y, [leaf, *module.parameters()], g)


def close(mine, theirs, scale=0.0, rounded=None):
    """Equal, up to a few roundings (to ``rounded``, their dtype) of the largest value, or of ``scale`` where larger."""
    assert mine.dtype == theirs.dtype and mine.shape == theirs.shape and mine.device == theirs.device
    if mine.numel():
        mine, wide = mine.detach().cpu().double(), theirs.detach().cpu().double()
        dtype = rounded or theirs.dtype
        bound = ROUNDINGS[dtype] * torch.finfo(dtype).eps * max(float(wide.abs().max()), scale)
        assert float((mine - wide).abs().max()) <= bound, (mine, wide)


def same_state(mine, theirs):
    expected = theirs.state_dict()
    state = mine.state_dict()
    assert list(state) == list(expected)
    for name, values in state.items():
        if values.is_floating_point():
            close(values, expected[name])
        else:
            assert values.dtype == expected[name].dtype and values == expected[name]


def untouched(module, before):
    state = module.state_dict()
    return list(state) == list(before) and all(torch.equal(state[name], before[name]) for name in before)


def snapshot(module):
    return {name: values.clone() for name, values in module.state_dict().items()}


def laid_out(x, layout):
    """The same values in another place in memory; expanded: those of the first place of the last axis."""
    if layout == "channels last":
        return x.movedim(1, -1).contiguous().movedim(-1, 1)
    if layout == "transposed":
        back = tuple(range(x.dim()))[::-1]
        return x.permute(back).contiguous().permute(back)
    if layout == "sliced":
        return torch.stack([x, 9 * x], 1)[:, 0]
    return x[..., :1].expand(x.shape) if layout == "expanded" else x


@st.composite
def cases(draw_from):
    """A shape with four values a channel or more, options, a layout, and the modes of three steps."""
    places = draw_from(st.lists(st.integers(1, 4), max_size=3))
    shape = (draw_from(st.integers(4, 7)), draw_from(st.integers(1, 4)), *places)
    options = {
        "eps": draw_from(st.sampled_from([1e-5, 1e-2, 1.0])),
        "momentum": draw_from(st.sampled_from([0.1, None, 0.0, 1.0, 0.37])),
        "affine": draw_from(st.booleans()),
        "bias": draw_from(st.booleans()),
        "track_running_stats": draw_from(st.booleans()),
    }
    modes = draw_from(st.lists(st.booleans(), min_size=3, max_size=3))
    return shape, options, draw_from(st.sampled_from(LAYOUTS)), modes, draw_from(st.integers(0, 10**6))


# --- Values, gradients, buffers ---------------------------------------------------------------------------------------


def check_steps(device, dtype, parameters, case):
    shape, options, layout, modes, seed = case
    mine, theirs = pair(shape, seed=seed, device=device, dtype=parameters, **options)
    for step, training in enumerate(modes):
        x = laid_out(draw(*shape, seed=seed + step, dtype=dtype, device=device), layout)
        g = upstream(*shape, seed=seed + step, dtype=dtype, device=device)
        y, grads = run(mine.train(training), x, g)
        expected, expected_grads = run(theirs.train(training), x, g)
        close(y, expected)
        assert y.stride() == expected.stride()
        moved_by = float((g.abs().max() * (mine.weight.abs().max() if options["affine"] else 1)).detach())
        var = x.cpu().double().var([0, *range(2, x.dim())], correction=0)
        scale = moved_by / float((var.min() + options["eps"]).sqrt())
        close(grads[0], expected_grads[0], scale if training or not options["track_running_stats"] else 0.0)
        for one, other in zip(grads[1:], expected_grads[1:], strict=True):
            close(one, other, float(g.abs().max()), dtype)  # PyTorch sums them in the dtype of the input
        same_state(mine, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@STEADY
@given(case=cases())
def test_steps_equal_pytorch(device, dtype, case):
    """Three steps in a row, in any order of modes: output and its strides, gradients, running averages, the count."""
    check_steps(device, dtype, dtype, case)


@pytest.mark.parametrize("dtype", DTYPES[:2])
@STEADY
@given(case=cases())
def test_half_precision_with_float32_parameters_equals_pytorch(device, dtype, case):
    check_steps(device, dtype, torch.float32, case)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_second_order_equals_pytorch(name, training):
    shape = SHAPES["1d of sequences"]
    x, g = draw(*shape, seed=1), upstream(*shape, seed=1)

    def second(module):
        inputs = [each.clone().requires_grad_() for each in (x, g)]
        inputs += module.parameters()
        y = module.train(training)(inputs[0])
        first = torch.autograd.grad(y, [inputs[0], *module.parameters()], inputs[1], create_graph=True)
        loss = sum((each * upstream(*each.shape, seed=9 + place)).sum() for place, each in enumerate(first))
        return first, torch.autograd.grad(loss, inputs, materialize_grads=True)

    mine, theirs = (second(module) for module in pair(shape, **OPTIONS[name]))
    torch.testing.assert_close(mine, theirs)
    assert theirs[1][0].abs().max() > 1e-3 or not training


def test_running_averages_are_of_the_mean_and_the_unbiased_variance():
    """Closed forms: momentum 1 keeps the last batch, None averages all batches, 0 keeps what was there."""
    batches = [draw(5, 3, 2, seed=seed) for seed in range(4)]
    means = torch.stack([each.mean((0, 2)) for each in batches])
    variances = torch.stack([each.var((0, 2), correction=1) for each in batches])
    kept = torch.tensor([0.9**3 * 0.1, 0.9**2 * 0.1, 0.9 * 0.1, 0.1], dtype=torch.float64)[:, None]
    for momentum, mean, var in (
        (1.0, means[-1], variances[-1]),
        (None, means.mean(0), variances.mean(0)),
        (0.0, torch.zeros(3).double(), torch.ones(3).double()),
        (0.1, (kept * means).sum(0), 0.9**4 + (kept * variances).sum(0)),
    ):
        module = ours.BatchNorm1d(3, momentum=momentum, dtype=torch.float64)
        for each in batches:
            module(each)
        torch.testing.assert_close(module.running_mean, mean, rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(module.running_var, var, rtol=1e-13, atol=1e-13)
        assert module.num_batches_tracked == 4


def test_output_of_a_training_batch_has_the_biased_variance():
    y = ours.BatchNorm1d(3, eps=0.5, dtype=torch.float64)(x := draw(5, 3, seed=2))
    var = x.var(0, correction=0)
    torch.testing.assert_close(y.var(0, correction=0), var / (var + 0.5))


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("shape", [(0, 3), (4, 3, 0), (0, 3, 2, 2)])
def test_an_empty_batch_equals_pytorch(shape, name, device):
    for training in (True, False):
        mine, theirs = pair(shape, device=device, dtype=torch.float32, **OPTIONS[name])
        x = torch.empty(shape, device=device)
        y, grads = run(mine.train(training), x, torch.empty_like(x))
        expected, expected_grads = run(theirs.train(training), x, torch.empty_like(x))
        close(y, expected)
        for one, other in zip(grads, expected_grads, strict=True):
            close(one, other)
        same_state(mine, theirs)


def test_eval_mode_differentiates_the_affine_map_it_is():
    mine, _ = pair((5, 3), eps=0.1)
    g = upstream(5, 3, seed=3)
    y, (dx, dweight, dbias) = run(mine.eval(), x := draw(5, 3, seed=3), g)
    root = torch.sqrt(mine.running_var + 0.1)
    torch.testing.assert_close(y, mine.weight * (x - mine.running_mean) / root + mine.bias)
    torch.testing.assert_close(dx, g * mine.weight / root)
    torch.testing.assert_close(dweight, (g * (x - mine.running_mean) / root).sum(0))
    torch.testing.assert_close(dbias, g.sum(0))


def test_frozen_parameters_and_no_grad(device):
    x = draw(6, 3, seed=4, dtype=torch.float32, device=device)
    mine, theirs = pair(x.shape, device=device, dtype=torch.float32)
    for module in (mine, theirs):
        module.weight.requires_grad_(False)
        assert not module.weight.grad_fn and module(x).requires_grad
        module.bias.requires_grad_(False)
        assert not module(x).requires_grad
    with torch.no_grad():
        close(mine(x), theirs(x))
    with torch.inference_mode():
        close(mine(x), theirs(x))
    same_state(mine, theirs)
    assert mine.num_batches_tracked == 4


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", OPTIONS)
def test_what_follows_may_overwrite_the_output(name, training):
    """``ReLU(inplace=True)`` behind the layer: what the backward pass needs must not be what it overwrites."""
    x, g = draw(6, 3, seed=21), upstream(6, 3, seed=21)
    results = []
    for module in pair(x.shape, **OPTIONS[name]):
        net = nn.Sequential(module.train(training), nn.ReLU(inplace=True))
        results.append(run(net, x, g))
    torch.testing.assert_close(*results)


def test_nan_poisons_the_averages_as_in_pytorch():
    x = draw(6, 3, seed=5)
    x[2, 1] = float("nan")
    mine, theirs = pair(x.shape)
    torch.testing.assert_close(mine(x), theirs(x), equal_nan=True)
    torch.testing.assert_close(mine.running_var, theirs.running_var, equal_nan=True)
    assert mine.running_var.isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("flag", [True, False])
def test_a_layer_whose_track_running_stats_was_changed_later(flag, training):
    mine, theirs = pair((6, 3), track_running_stats=not flag)
    for module in (mine, theirs):
        module.track_running_stats = flag
        module.train(training)
    x = draw(6, 3, seed=6)
    close(mine(x), theirs(x))
    same_state(mine, theirs)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_layer_whose_count_was_taken_off(momentum):
    """PyTorch goes on without it, and with ``momentum=None`` leaves the averages alone."""
    layers = pair((6, 3), momentum=momentum)
    for each in layers:
        each.num_batches_tracked = None
    before = layers[0].running_mean.clone()
    x = draw(6, 3, seed=30)
    close(*(each(x) for each in layers))
    same_state(*layers)
    assert torch.equal(layers[0].running_mean, before) == (momentum is None)


def test_autocast_equals_pytorch(device):
    x = draw(8, 5, seed=7, dtype=torch.float32, device=device)
    linear = nn.Linear(5, 3, device=device)
    mine, theirs = pair((8, 3), device=device, dtype=torch.float32)
    for training in (True, False):
        results = []
        for module in (mine, theirs):
            with torch.autocast(device.type, dtype=torch.bfloat16):
                y = module.train(training)(linear(x))
            results.append((y, *torch.autograd.grad(y, [linear.weight, module.weight], upstream(8, 3, seed=7).to(y))))
        assert results[0][0].dtype == torch.bfloat16
        close(results[0][0], results[1][0])
        for one, other in zip(results[0][1:], results[1][1:], strict=True):
            torch.testing.assert_close(one, other, rtol=2**-7, atol=2**-7 * float(other.abs().max()))
        same_state(mine, theirs)


# --- A module of PyTorch ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_constructor_and_repr_are_pytorchs(shape):
    mine, theirs = module_of(ours, shape), module_of(nn, shape)
    said = [
        [(p.name, p.kind, p.default) for p in inspect.signature(each).parameters.values()] for each in (mine, theirs)
    ]
    assert said[0] == said[1]
    for options in OPTIONS.values():
        assert repr(mine(3, **options)) == repr(theirs(3, **options))
        assert mine(3, **options).extra_repr() == theirs(3, **options).extra_repr()
    assert str(mine(3, 0.1, 0.2, False)) == str(theirs(3, 0.1, 0.2, False))


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_new_layer_has_the_state_of_pytorchs(name, dtype, device):
    mine, theirs = (library.BatchNorm2d(3, device=device, dtype=dtype, **OPTIONS[name]) for library in (ours, nn))
    same_state(mine, theirs)
    for kind in ("named_parameters", "named_buffers"):
        described = [
            [(name, each.dtype, each.shape, each.device, each.requires_grad) for name, each in getattr(module, kind)()]
            for module in (mine, theirs)
        ]
        assert described[0] == described[1]


@pytest.mark.parametrize("name", OPTIONS)
def test_a_state_dict_loads_either_way(name):
    shape = SHAPES["2d"]
    for direction in (1, -1):
        source, target = pair(shape, seed=20, **OPTIONS[name])[::direction]
        source(draw(*shape, seed=8))
        fresh = type(target)(3, dtype=torch.float64, **OPTIONS[name])
        assert str(fresh.load_state_dict(source.state_dict())) == "<All keys matched successfully>"
        for training in (False, True, False):
            x = draw(*shape, seed=9 + training)
            close(fresh.train(training)(x), source.train(training)(x))
        same_state(fresh, source)


def test_a_checkpoint_of_version_1_loads_as_in_pytorch():
    """Before 2018 no batches were counted; a later checkpoint without the count is broken, and refused."""
    old = {name: values for name, values in pair((6, 3))[1].state_dict().items() if name != "num_batches_tracked"}
    for library in (nn, ours):
        module = library.BatchNorm1d(3, dtype=torch.float64)
        module.load_state_dict(copy.copy(old))
        assert module.num_batches_tracked == 0 and torch.equal(module.running_var, old["running_var"])
        broken = module.state_dict()
        assert broken._metadata[""]["version"] == 2
        del broken["num_batches_tracked"]
        with pytest.raises(RuntimeError, match="num_batches_tracked"):
            module.load_state_dict(broken)


def copies(module):
    saved = io.BytesIO()
    torch.save(module, saved)
    saved.seek(0)
    state = io.BytesIO()
    torch.save(module.state_dict(), state)
    state.seek(0)
    fresh = type(module)(3, dtype=torch.float64)
    fresh.load_state_dict(torch.load(state, weights_only=True))
    yield from (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), torch.load(saved, weights_only=False), fresh)


def test_copies_have_the_same_state_and_lives_of_their_own():
    module, _ = pair((6, 3))
    x, g = draw(6, 3, seed=10), upstream(6, 3, seed=10)
    module(x).backward(g)  # a copy must not drag a graph along
    before = snapshot(module)
    for each in copies(module):
        assert type(each) is ours.BatchNorm1d and untouched(each, before)
        y, _ = run(each, x, g)
        assert each.num_batches_tracked == 2 and untouched(module, before)
        close(y, copy.deepcopy(module)(x))


@pytest.mark.parametrize("dtype", DTYPES)
def test_to_another_dtype_is_what_pytorch_makes_of_it(dtype, device):
    mine, theirs = (module.to(dtype).to(device) for module in pair((6, 3)))
    same_state(mine, theirs)
    assert mine.running_var.dtype == dtype and mine.num_batches_tracked.dtype == torch.long
    assert mine.running_var.device.type == mine.num_batches_tracked.device.type == device.type
    x = draw(6, 3, seed=11, dtype=dtype, device=device)
    close(mine(x), theirs(x))
    same_state(mine, theirs)


def test_the_meta_device_gives_shapes_and_a_layer_to_fill():
    module = ours.BatchNorm2d(3, device="meta")
    assert {each.device.type for each in (*module.parameters(), *module.buffers())} == {"meta"}
    y = module(torch.empty(4, 3, 2, 2, device="meta"))
    assert y.device.type == "meta" and y.shape == (4, 3, 2, 2)
    filled = module.to_empty(device="cpu")
    filled.reset_parameters()
    same_state(filled, nn.BatchNorm2d(3))


def test_reset_forgets():
    module, theirs = pair((6, 3))
    for reset in ("reset_running_stats", "reset_parameters"):
        for each in (module, theirs):
            each(draw(6, 3, seed=12))
            getattr(each, reset)()
        same_state(module, theirs)
    same_state(module, nn.BatchNorm1d(3).double())


def test_who_looks_for_pytorchs_finds_ours():
    """``update_bn`` computes the averages anew; ``convert_sync_batchnorm`` takes parameters and buffers along."""
    batches = [draw(6, 3, seed=seed) for seed in range(3)]
    nets = [nn.Sequential(each) for each in pair((6, 3))]
    for net in nets:
        torch.optim.swa_utils.update_bn(batches, net)
    same_state(*nets)
    assert nets[0][0].num_batches_tracked == 3 and nets[0][0].momentum == 0.1
    torch.testing.assert_close(nets[0][0].running_mean, torch.cat(batches).mean(0))
    before = snapshot(nets[0])
    synced = nn.SyncBatchNorm.convert_sync_batchnorm(nets[0])
    assert type(synced[0]) is nn.SyncBatchNorm and untouched(synced, before)
    close(synced.eval()(batches[0]), nets[1].eval()(batches[0]))


# --- What is refused --------------------------------------------------------------------------------------------------

ONES = torch.ones(4, 3)
REFUSED = {  # what is wrong: options, the batch, training, whether PyTorch counts it nevertheless, what ours says
    "one axis": ({}, ONES[0], True, False, r"expected 2D or 3D input \(got 1D input of shape \(3,\)\)"),
    "no axis": ({}, ONES[0, 0], False, False, "got 0D"),
    "four axes": ({}, ONES[..., None, None], True, False, "got 4D"),
    "other channels": ({}, torch.ones(4, 5), True, True, "expected 3 channels, num_features, on axis 1.* got 5"),
    "other channels in eval mode": ({}, torch.ones(4, 5), False, False, "got 5"),
    "other channels, not affine": ({"affine": False}, torch.ones(4, 5), True, True, "got 5"),
    "one value a channel": ({}, ONES[:1], True, True, "Expected more than 1 value per channel.*drop_last"),
    "one value in a sequence": ({}, ONES[:1, :, None], True, True, "Expected more than 1 value per channel"),
    "one value, no statistics": ({"track_running_stats": False}, ONES[:1], False, False, "Expected more than 1 value"),
    "integers": ({}, ONES.int(), True, True, r"floating-point input, got torch.int32"),
    "integers in eval mode": ({}, ONES.int(), False, False, "got torch.int32"),
    "truth values": ({"affine": False}, ONES > 0, True, True, "got torch.bool"),
    "complex": ({}, ONES.cfloat(), True, True, "got torch.complex64"),
    "complex, neither": (OPTIONS["neither"], ONES.cfloat(), True, False, "got torch.complex64"),
    "double": ({}, ONES.double(), True, True, "expected an input of dtype torch.float32.*got torch.float64; convert"),
    "double in eval mode": ({"affine": False}, ONES.double(), False, False, "got torch.float64"),
    "float for half": ({"dtype": torch.float16}, ONES, True, True, "dtype torch.float16.* got torch.float32"),
    "half for half": ({"dtype": torch.bfloat16}, ONES.half(), True, True, "dtype torch.bfloat16.* got torch.float16"),
    "eps of 0": ({"eps": 0.0}, ONES, True, True, "expected a positive eps during training, got 0.0"),
    "eps below 0": ({"eps": -1.0}, ONES, True, True, "got -1.0"),
    "eps below 0 in eval mode": ({"eps": -1.0}, ONES, False, False, "expected an eps of 0 or more, got -1.0"),
    "no tensor": ({}, [1.0, 2.0], True, False, "'list' object has no attribute 'dim'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_batch_has_the_error_type_of_pytorch_and_changes_nothing(name):
    options, x, training, counted, says = REFUSED[name]
    mine, theirs = ours.BatchNorm1d(3, **options).train(training), nn.BatchNorm1d(3, **options).train(training)
    before = snapshot(mine)
    with pytest.raises(Exception) as expected:  # whichever PyTorch raises
        theirs(x)
    with pytest.raises(expected.type, match=says) as raised:
        mine(x)
    assert raised.type is expected.type and untouched(mine, before)
    assert untouched(theirs, before) is not counted  # theirs: one batch more, of which nothing was seen
    if counted:
        assert theirs.num_batches_tracked == 1


@pytest.mark.parametrize(
    "options, x", [(OPTIONS["neither"], torch.ones(4, 5)), ({}, torch.ones(0, 5)), ({"eps": float("nan")}, ONES)]
)
def test_ours_alone_refuses(options, x):
    nn.BatchNorm1d(3, **options)(x)
    module = ours.BatchNorm1d(3, **options)
    before = snapshot(module)
    with pytest.raises((RuntimeError, ValueError), match=r"got 5|got nan"):
        module(x)
    assert untouched(module, before)


def test_every_combination_of_dtypes_is_taken_or_refused_as_in_pytorch(device):
    x = draw(6, 3, seed=13, dtype=torch.float32)
    taken = []
    for parameters in DTYPES[:3] if device.type == "mps" else DTYPES:
        for dtype in DTYPES[:3] if device.type == "mps" else DTYPES:
            outcomes = []
            for module in (each.to(device) for each in pair((6, 3), dtype=parameters)):
                try:
                    outcomes.append(module(x.to(device, dtype)).dtype)
                except RuntimeError:
                    outcomes.append(None)
            if device.type == "cpu":
                assert outcomes[0] == outcomes[1], (parameters, dtype)
            taken += [outcomes[0]] if outcomes[0] else []
    assert len(taken) == (5 if device.type == "mps" else 6)


def test_eps_of_0_is_taken_in_eval_mode():
    mine, theirs = pair((6, 3), eps=0.0)
    close(mine.eval()(draw(6, 3, seed=14)), theirs.eval()(draw(6, 3, seed=14)))


# --- torch.compile, torch.export, torch.func --------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["default", "plain average", "no statistics"])
@pytest.mark.parametrize("shape", [SHAPES["1d"], SHAPES["2d"]], ids=["1d", "2d"])
def test_compiled_without_a_break_steps_are_the_same(shape, name, training):
    """Batch sizes change from step to step: compiled once for the first, once for all others."""
    torch.compiler.reset()
    eager, _ = pair(shape, **OPTIONS[name])
    module = copy.deepcopy(eager)
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(module.train(training), fullgraph=True, backend=counter)
    eager.train(training)
    for step, n in enumerate((8, 6, 11, 5)):
        x, g = draw(n, *shape[1:], seed=step), upstream(n, *shape[1:], seed=step)
        leaves = [x.clone().requires_grad_() for _ in range(2)]
        y, expected = compiled(leaves[0]), eager(leaves[1])
        y.backward(g)
        expected.backward(g)
        close(y, expected)
        close(leaves[0].grad, leaves[1].grad)
        for one, other in zip(module.parameters(), eager.parameters(), strict=True):
            close(one.grad, other.grad)
        same_state(module, eager)
    assert counter.frame_count <= 2


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["default", "plain average", "not affine", "no statistics"])
def test_an_exported_program_does_what_the_module_does(name, training):
    shape = SHAPES["2d"]
    module, _ = pair(shape, **OPTIONS[name])
    module.train(training)
    sizes = ({0: torch.export.Dim("batch", min=2)},)
    program = torch.export.export(copy.deepcopy(module), (draw(*shape, seed=15),), dynamic_shapes=sizes).module()
    for seed, n in enumerate((4, 7)):
        x = draw(n, *shape[1:], seed=seed)
        close(program(x), module(x))
        same_state(program, module)


@pytest.mark.parametrize("training", [True, False])
def test_functional_call_and_grad(training):
    x, g = draw(6, 3, seed=16), upstream(6, 3, seed=16)
    results = []
    for module in pair(x.shape):
        module.train(training)
        before = snapshot(module)
        parameters, buffers = dict(module.named_parameters()), {k: v.clone() for k, v in module.named_buffers()}

        def loss(parameters, x, buffers, module=module):
            return (functional_call(module, (parameters, buffers), (x,)) * g).sum(), buffers

        if training:  # buffers that are no argument of what is differentiated are refused, before any of them changes
            with pytest.raises(RuntimeError, match="mutate a captured Tensor"):
                grad(lambda *args, loss=loss, buffers=buffers: loss(*args, buffers)[0])(parameters, x)
            assert all(torch.equal(buffers[name], before[name]) for name in buffers)
        results.append(grad(loss, argnums=(0, 1), has_aux=True)(parameters, x, buffers))
        assert untouched(module, before) and buffers.get("num_batches_tracked") == int(training)
    torch.testing.assert_close(*results)
    _, (dx, dweight, dbias) = run(pair(x.shape)[0].train(training), x, g)
    torch.testing.assert_close(results[0][0], ({"weight": dweight, "bias": dbias}, dx))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["default", "no statistics", "neither"])
def test_vmap_succeeds_and_fails_as_in_pytorch(name, training):
    """Batches in parallel cannot all be averaged into one layer: refused, and the layer is as it was."""
    x = draw(4, 6, 3, seed=17)
    mine, theirs = pair(x.shape[1:], **OPTIONS[name])
    before = snapshot(mine)
    if training and name == "default":
        with pytest.raises(RuntimeError, match="vmap"):
            vmap(theirs)(x)
        with pytest.raises(RuntimeError, match="vmap"):
            vmap(mine)(x)
    else:
        close(vmap(mine.train(training))(x), vmap(theirs.train(training))(x))
        close(vmap(mine)(x), torch.stack([mine(each) for each in x]))
    assert untouched(mine, before)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_an_ensemble_is_a_loop(momentum, training):
    """Many layers at once by ``stack_module_state``; PyTorch's cannot with ``momentum=None``, ours can."""
    modules = [pair((6, 3), seed=seed, momentum=momentum)[0].train(training) for seed in (0, 10, 20)]
    x = draw(3, 6, 3, seed=18)
    parameters, buffers = stack_module_state(modules)
    base = copy.deepcopy(modules[0])

    def call(parameters, buffers, x):
        return functional_call(base, (parameters, buffers), (x,))

    y = vmap(call)(parameters, buffers, x)
    close(y, torch.stack([module(each) for module, each in zip(modules, x)]))
    for name, values in stack_module_state(modules)[1].items():
        torch.testing.assert_close(buffers[name], values)


def test_gradients_per_example_in_eval_mode():
    x, g = draw(6, 3, 5, seed=19), upstream(6, 3, 5, seed=19)
    results = []
    for module in pair(x.shape):
        module.eval()

        def loss(parameters, x, g, module=module):
            return (functional_call(module, parameters, (x[None],)) * g).sum()

        results.append(vmap(grad(loss), (None, 0, 0))(dict(module.named_parameters()), x, g))
    torch.testing.assert_close(*results)
    whole = run(pair(x.shape)[0].eval(), x, g)[1][1:]
    assert results[0]["weight"].shape == (6, 3)
    torch.testing.assert_close(tuple(each.sum(0) for each in results[0].values()), whole)


def test_a_checkpointed_batch_is_counted_twice_as_in_pytorch():
    """Gradients are right; the forward pass runs again in the backward pass, and its batch counts again."""
    x, g = draw(6, 3, seed=20), upstream(6, 3, seed=20)
    mine, theirs = pair(x.shape)
    expected = run(copy.deepcopy(mine), x, g)
    for module in (mine, theirs):
        leaf = x.clone().requires_grad_()
        y = checkpoint(module, leaf, use_reentrant=False)
        close(y, expected[0])
        for one, other in zip(torch.autograd.grad(y, [leaf, *module.parameters()], g), expected[1], strict=True):
            close(one, other)
        assert module.num_batches_tracked == 2
    same_state(mine, theirs)
