"""Normalizations of weights against torch.nn and closed forms, and the squashing functions that replace a norm."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize

from bnutils.nn import weights as ours
from nn.compare import COMPILING, STEADY, agree, close, draw, outcome, shaken, state, unchanged

SEED = st.integers(0, 10**6)
LAYERS = {  # the layer, the shape of its input, the axis of its outputs
    "linear": (lambda: nn.Linear(5, 4), (6, 5), 0),
    "convolution": (lambda: nn.Conv2d(4, 6, 3, groups=2), (3, 4, 5, 4), 0),
    "transposed": (lambda: nn.ConvTranspose1d(4, 3, 2), (3, 4, 5), 1),
}

# --- Weight norm ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dim", [0, 1, None, -1])
def test_weight_norm_equals_pytorch_and_loads_its_checkpoint(name, dim):
    make, shape, _ = LAYERS[name]
    theirs = shaken(parametrizations.weight_norm(make().double(), dim=dim), 1)
    mine = ours.weight_norm(make().double(), dim=dim)
    mine.load_state_dict(theirs.state_dict())
    x = draw(shape, seed=2)
    dy, v = draw(theirs(x).shape, x.shape, seed=3)
    agree(mine, theirs, x, dy, v)


@pytest.mark.parametrize("name", LAYERS)
def test_weight_norm_begins_with_the_weight_and_can_be_taken_off(name):
    make, _, dim = LAYERS[name]
    layer = make().double()
    weight = layer.weight.detach().clone()
    assert ours.weight_norm(layer, dim=dim) is layer
    close(layer.weight, weight)
    length = layer.parametrizations.weight.original0.detach()
    close(length.flatten(), weight.movedim(dim, 0).flatten(1).norm(dim=1))
    parametrize.remove_parametrizations(layer, "weight")
    close(layer.weight, weight)


@pytest.mark.parametrize("scale", [1e-18, 1e-20, 1e-30, 1e15])
def test_weights_whose_squares_are_no_float32_keep_their_direction(scale):
    """Weight decay takes filters there."""
    layer = nn.Linear(50, 4, bias=False)
    weight = scale * draw((4, 50), seed=17, dtype=torch.float32)
    layer.weight.data.copy_(weight)
    ours.weight_norm(layer).parametrizations.weight.original0.data.fill_(1)
    direction = weight.double() / torch.linalg.vector_norm(weight.double(), dim=1, keepdim=True)
    torch.testing.assert_close(layer.weight.detach().double(), direction, rtol=1e-5, atol=0)


@pytest.mark.parametrize("dim", [0, None])
def test_weight_norm_of_a_bias_equals_pytorch(dim):
    theirs = shaken(parametrizations.weight_norm(nn.Linear(5, 4).double(), "bias", dim), 1)
    mine = ours.weight_norm(nn.Linear(5, 4).double(), "bias", dim)
    assert {k: v.shape for k, v in mine.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}
    mine.load_state_dict(theirs.state_dict())
    agree(mine, theirs, *draw((6, 5), (6, 4), (6, 5), seed=2))


@STEADY
@given(st.floats(1e-6, 1e6), SEED)
def test_the_length_of_the_direction_does_not_matter(factor, seed):
    g, v = draw((4, 1), (4, 5), seed=seed)
    norm = ours.WeightNorm()
    w = norm(g, v)
    close(w.norm(dim=1, keepdim=True), g.abs())
    close(norm(g, factor * v), w)
    assert (norm(g, v + 1) - w).abs().max() > 1e-3


def test_weight_norm_by_finite_differences_and_at_zero():
    g, v = (each.requires_grad_() for each in draw((3, 1), (3, 4), seed=4))
    assert gradcheck(ours.WeightNorm(), (g, v)) and gradgradcheck(ours.WeightNorm(), (g, v))
    assert not ours.WeightNorm()(g, torch.zeros_like(v)).any()
    assert torch._weight_norm(torch.zeros_like(v), g, 0).isnan().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weight_norm_in_other_precisions(dtype):
    """Of a tiny weight, too, whose squares float16 would round to 0."""
    g, v = draw((4, 1), (4, 9), seed=5, dtype=dtype)
    for scale in (1, 1e-15):
        w = ours.WeightNorm()(g, scale * v)
        assert w.dtype == dtype
        close(w, torch._weight_norm(v, g, 0), dtype)


# --- Weight standardization -------------------------------------------------------------------------------------------


def standardised(weight, eps=1e-5):
    """As the authors write it, with the variance over n and eps in the root."""
    flat = weight.flatten(1)
    centred = flat - flat.mean(1, keepdim=True)
    return (centred / (centred.square().mean(1, keepdim=True) + eps).sqrt()).view_as(weight)


@pytest.mark.parametrize("bias", [True, False])
def test_ws_linear_is_linear_with_standardised_weights(bias):
    layer = shaken(ours.WSLinear(5, 4, bias).double(), 6)
    x, dy, v = draw((6, 5), (6, 4), (6, 5), seed=7)

    def plain(x):
        return F.linear(x, standardised(layer.weight), layer.bias)

    learned = list(layer.parameters())
    for a, b in zip(outcome(layer, x, dy, learned, v), outcome(plain, x, dy, learned, v), strict=True):
        close(a, b)


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1}, {"groups": 2, "bias": False}, {"padding": 1, "padding_mode": "circular"}],
    ids=str,
)
def test_ws_conv2d_is_a_convolution_with_standardised_weights(options):
    layer = shaken(ours.WSConv2d(4, 6, 3, eps=1e-3, **options).double(), 8)
    plain = nn.Conv2d(4, 6, 3, **options).double()
    with torch.no_grad():
        plain.load_state_dict(layer.state_dict())
        plain.weight.copy_(standardised(layer.weight, 1e-3))
    x = draw((3, 4, 5, 6), seed=9)
    close(layer(x), plain(x))
    close(layer(x[0]), plain(x[0]))


def test_what_the_authors_program_does_differs_by_the_bessel_factor():
    """It takes the deviation over n - 1: sqrt((n - 1) / n) of ours, where eps does not count."""
    weight = draw((4, 3, 2, 2), seed=10)
    deviation, mean = torch.std_mean(weight, dim=(1, 2, 3), keepdim=True)
    close((weight - mean) / deviation, ours.weight_standardise(weight, 1e-14) * math.sqrt(11 / 12))


@STEADY
@given(st.floats(0.1, 1e3), st.floats(-10, 10), SEED)
def test_scale_and_shift_of_the_weights_of_an_output_do_not_matter(factor, shift, seed):
    weight = draw((3, 7), seed=seed)
    w_hat = ours.weight_standardise(weight, 1e-14)
    close(ours.weight_standardise(factor * weight + shift, 1e-14), w_hat)
    close(w_hat.sum(1), torch.zeros(3, dtype=torch.float64))
    close(w_hat.square().sum(1), torch.full((3,), 7.0, dtype=torch.float64))  # over sqrt(7): 1, as Brock et al. have it
    assert (ours.weight_standardise(-weight, 1e-14) - w_hat).abs().max() > 0.1


def test_weight_standardization_by_finite_differences():
    weight = draw((3, 2, 2), seed=11).requires_grad_()
    assert gradcheck(ours.weight_standardise, weight) and gradgradcheck(ours.weight_standardise, weight)


def test_a_half_precision_weight_stays_so():
    layer = ours.WSLinear(5, 4, dtype=torch.bfloat16)
    assert layer(torch.ones(2, 5, dtype=torch.bfloat16)).dtype == torch.bfloat16


# --- Squashing --------------------------------------------------------------------------------------------------------

SQUASH = {
    "DynamicTanh": lambda p, x: torch.tanh(p["alpha"] * x),
    "DynamicErf": lambda p, x: torch.erf(p["alpha"] * x + p["shift"]),
}


@pytest.mark.parametrize("name", SQUASH)
@pytest.mark.parametrize("channels_last", [True, False])
def test_squashing_is_its_formula_with_the_parameters_of_the_authors(name, channels_last):
    layer = shaken(getattr(ours, name)(3, channels_last).double(), 12)
    p = dict(layer.named_parameters())
    assert set(layer.state_dict()) == {"alpha", "weight", "bias"} | ({"shift"} if name == "DynamicErf" else set())
    shape = (2, 4, 5, 3) if channels_last else (2, 3, 4, 5)
    features = (3,) if channels_last else (3, 1, 1)
    x, dy, v = draw(shape, shape, shape, seed=13)

    def formula(x):
        return SQUASH[name](p, x) * p["weight"].view(features) + p["bias"].view(features)

    learned = list(p.values())
    for a, b in zip(outcome(layer, x, dy, learned, v), outcome(formula, x, dy, learned, v), strict=True):
        close(a, b)


@pytest.mark.parametrize("name", SQUASH)
def test_a_new_layer_squashes_half_of_its_input(name):
    function = {"DynamicTanh": math.tanh, "DynamicErf": math.erf}[name]
    y = getattr(ours, name)((2, 3))(torch.full((4, 2, 3), 0.8))
    torch.testing.assert_close(y, torch.full((4, 2, 3), function(0.4)))


@pytest.mark.parametrize("name", SQUASH)
def test_squashing_averages_over_nothing(name):
    """Every entry is treated alone; and so a rescaled input is another input."""
    x = draw((4, 3), seed=14) - 3
    layer = getattr(ours, name)(3).double()
    other = x.clone()
    other[0, 0] += 5
    changed = (layer(other) - layer(x)).detach().abs() > 0
    assert changed.sum() == 1 and changed[0, 0]
    assert (layer(2 * x) - layer(x)).abs().max() > 0.1


@pytest.mark.parametrize("name", SQUASH)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_squashing_in_other_precisions(name, dtype):
    layer = shaken(getattr(ours, name)(3).to(dtype), 15)
    exact = getattr(ours, name)(3).double()
    exact.load_state_dict(layer.state_dict())
    x = draw((4, 3), seed=16, dtype=dtype)
    assert layer(x).dtype == dtype
    close(layer(x).double(), exact(x.double()), dtype)


def test_channels_before_the_places_are_one_axis():
    with pytest.raises(ValueError, match=r"expected one axis of channels.*got \(3, 2\)"):
        ours.DynamicTanh((3, 2), channels_last=False)
    assert ours.DynamicTanh((3,), channels_last=False)(torch.ones(2, 3, 4, 5)).shape == (2, 3, 4, 5)


@COMPILING
@pytest.mark.parametrize(
    "layer",
    [
        lambda: ours.weight_norm(nn.Linear(5, 4)),
        lambda: ours.WSLinear(5, 4),
        lambda: ours.DynamicTanh(5),
        lambda: ours.DynamicErf(5),
    ],
)
def test_each_compiles_without_a_graph_break(layer):
    layer = layer().double()
    x = draw((6, 5), seed=18)
    dy = draw(layer(x).shape, seed=19)
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    learned = list(layer.parameters())
    for a, b in zip(outcome(compiled, x, dy, learned), outcome(layer, x, dy, learned), strict=True):
        close(a, b)


def test_what_a_print_shows():
    assert str(ours.DynamicErf(3, alpha_init_value=0.2)) == (
        "DynamicErf(normalized_shape=3, channels_last=True, alpha_init_value=0.2, shift_init_value=0.0)"
    )
    assert str(ours.WSLinear(5, 4)) == "WSLinear(in_features=5, out_features=4, bias=True, eps=1e-05)"
    assert str(ours.WSConv2d(5, 4, 3)) == "WSConv2d(5, 4, kernel_size=(3, 3), stride=(1, 1), eps=1e-05)"
    assert str(ours.WeightNorm(None)) == "WeightNorm(dim=-1)"


@pytest.mark.parametrize(
    "layer, x, error, says",
    [
        (ours.WSLinear(5, 4), torch.ones(2, 6), RuntimeError, "cannot be multiplied"),
        (ours.WSConv2d(3, 4, 2), torch.ones(2, 5, 4, 4), RuntimeError, "expected input"),
        (ours.DynamicTanh(3), torch.ones(2, 4), RuntimeError, "expected input of shape (..., 3), got (2, 4)"),
        (ours.DynamicErf(3, False), torch.ones(2, 4, 5), RuntimeError, "expected input of shape (..., 3, H, W), got"),
        (ours.DynamicTanh(1), torch.ones(2, 4), RuntimeError, "expected input of shape (..., 1), got (2, 4)"),
        (ours.DynamicErf(1, False), torch.ones(2, 4, 5, 5), RuntimeError, "expected input of shape (..., 1, H, W)"),
        (ours.DynamicTanh(3), torch.ones(2, 3, dtype=torch.int64), NotImplementedError, "convert it first"),
        (ours.WSLinear(5, 4, eps=0), torch.ones(2, 5), ValueError, "expected a positive eps, got 0"),
    ],
)
def test_what_is_refused_leaves_the_layer_as_it_was(layer, x, error, says):
    before = state(layer)
    with pytest.raises(error) as refused:
        layer(x)
    assert says in str(refused.value) and unchanged(layer, before)
