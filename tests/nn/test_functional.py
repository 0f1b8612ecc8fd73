"""Standardising over an index set, against closed forms, the plain formula under autograd, and finite differences."""

import itertools

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.func import hessian, jacfwd, jacrev, jvp, vjp, vmap

from bnutils.nn import functional

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=50,
    phases=[Phase.generate, Phase.shrink],
)
SEED, EPS = st.integers(0, 10**6), st.sampled_from([1e-5, 1e-2, 1.0])
SHAPE, AREA = (4, 3, 2), (0, 2)  # of the tests with one shape
MASK = torch.rand(SHAPE, generator=torch.Generator().manual_seed(9)) < 0.6
MASK[:2] = True  # two values or more in every set
HOW = {"centred": {}, "not centred": {"centre": False}, "masked": {"mask": MASK}}
HALF = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}  # the largest relative error of one rounding


def draw(*shape, seed, dtype=torch.float64, device="cpu"):
    """Numbers with a mean of 3 and a standard deviation of 2, the same on every device."""
    numbers = 3 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return numbers.to(dtype).to(device)


def plain(x, area, eps=1e-5, centre=True, mask=None):
    """The formula as it is read, and nothing else: autograd differentiates it."""
    counts = torch.ones_like(x, dtype=torch.bool) if mask is None else mask.expand(x.shape)
    n = counts.sum(area, keepdim=True)
    kept = torch.where(counts, x, 0)
    mean = kept.sum(area, keepdim=True) / n if centre else 0
    centred = torch.where(counts, kept - mean, 0)
    return centred / torch.sqrt((centred**2).sum(area, keepdim=True) / n + eps)


@st.composite
def batches(draw_from):
    """A shape of one to four axes, some of them an area of two values or more, and a mask that leaves two of each."""
    shape = draw_from(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    area = draw_from(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    if torch.tensor([shape[a] for a in area]).prod() < 4:
        shape[min(area)] = 4
    return tuple(shape), tuple(sorted(area)), draw_from(SEED)


def some(shape, area, seed):
    """A mask that keeps the first two of four or more places along the first axis of the area, and others by chance."""
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.5
    longest = max(area, key=lambda axis: shape[axis])
    mask.narrow(longest, 0, min(2, shape[longest])).fill_(True)
    return mask


# --- Against the formula ----------------------------------------------------------------------------------------------


@STEADY
@given(batches(), EPS, st.booleans(), st.booleans())
def test_value_and_gradient_equal_the_plain_formula_over_any_area(batch, eps, centre, masked):
    shape, area, seed = batch
    x, dy = draw(*shape, seed=seed).requires_grad_(), draw(*shape, seed=seed + 1) - 3
    how = {"eps": eps, "centre": centre, "mask": some(shape, area, seed) if masked else None}
    expected = plain(x, area, **how)
    normal = functional.standardise(x, area, **how)
    torch.testing.assert_close(normal.x_hat, expected, rtol=0, atol=1e-12)
    (mine,), (theirs,) = torch.autograd.grad(normal.x_hat, x, dy), torch.autograd.grad(expected, x, dy)
    torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)


@STEADY
@given(batches(), EPS)
def test_statistics_are_the_mean_and_the_biased_variance(batch, eps):
    shape, area, seed = batch
    x = draw(*shape, seed=seed)
    var, mean = torch.var_mean(x, area, correction=0, keepdim=True)
    normal = functional.standardise(x, area, eps=eps)
    torch.testing.assert_close(normal.mean, mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(normal.var, var, rtol=0, atol=1e-12)
    torch.testing.assert_close(normal.x_hat.square().mean(area, keepdim=True), var / (var + eps), rtol=0, atol=1e-12)
    scaled = functional.standardise(x, area, eps=eps, centre=False)
    square = (x * x).mean(area, keepdim=True)
    assert not scaled.mean.any() and scaled.mean.shape == mean.shape
    torch.testing.assert_close(scaled.x_hat.square().mean(area, keepdim=True), square / (square + eps))


def test_gradient_is_shrunk_along_x_hat_and_has_no_mean():
    """Closed form: P x_hat = x_hat eps / (var + eps), P of a constant is 0; the rest is only scaled."""
    x = draw(6, 2, seed=1).requires_grad_()
    normal = functional.standardise(x, (0,), eps=0.5)
    root = torch.sqrt(normal.var + 0.5)

    def back(g):
        return torch.autograd.grad(normal.x_hat, x, g, retain_graph=True)[0]

    along, constant = normal.x_hat.detach(), torch.full_like(x, 7.0)
    torch.testing.assert_close(back(along), along * 0.5 / (normal.var + 0.5) / root)
    torch.testing.assert_close(back(constant), torch.zeros_like(x), rtol=0, atol=1e-14)
    rest = draw(6, 2, seed=2)
    rest = rest - rest.mean(0)
    rest = rest - along * (rest * along).sum(0) / (along * along).sum(0)
    torch.testing.assert_close(back(rest), rest / root)


@pytest.mark.parametrize("name", HOW)
def test_first_order_by_finite_differences(name):
    x = draw(*SHAPE, seed=3).requires_grad_()
    assert gradcheck(
        lambda x: functional.standardise(x, AREA, eps=0.1, **HOW[name]).x_hat,
        x,
        check_forward_ad=True,
        raise_exception=False,
    )


@pytest.mark.parametrize("name", HOW)
def test_second_order_by_finite_differences(name):
    """Statistics saved in the forward pass are constants here: the first order is right with them, this is not."""
    x = draw(*SHAPE, seed=4).requires_grad_()
    f = lambda x: functional.standardise(x, AREA, eps=0.1, **HOW[name]).x_hat  # noqa: E731
    assert gradgradcheck(f, x, check_fwd_over_rev=True, check_rev_over_rev=True, raise_exception=False)


def test_third_order_equals_the_plain_formula():
    x = draw(5, 2, seed=5).requires_grad_()
    upstream = [draw(5, 2, seed=seed) - 3 for seed in (6, 7, 8)]

    def third(f):
        y = f(x)
        for u in upstream:
            (y,) = torch.autograd.grad(y, x, u, create_graph=True)
        return y

    torch.testing.assert_close(third(lambda x: functional.standardise(x, (0,)).x_hat), third(lambda x: plain(x, (0,))))


@pytest.mark.parametrize("name", HOW)
def test_forward_mode_is_the_transpose_of_the_backward_pass(name):
    x, t, g = (draw(*SHAPE, seed=seed) - 3 * (seed > 10) for seed in (10, 11, 12))
    f = lambda x: functional.standardise(x, AREA, **HOW[name]).x_hat  # noqa: E731
    _, moved = jvp(f, (x,), (t,))
    (back,) = vjp(f, x)[1](g)
    torch.testing.assert_close((g * moved).sum(), (back * t).sum())
    assert moved.abs().max() > 0.1
    _, expected = jvp(lambda x: plain(x, AREA, **HOW[name]), (x,), (t,))
    torch.testing.assert_close(moved, expected)


def test_dual_numbers_carry_the_same_tangent():
    x, t = draw(*SHAPE, seed=13), draw(*SHAPE, seed=14)
    with forward_ad.dual_level():
        normal = functional.standardise(forward_ad.make_dual(x, t), AREA)
        moved = forward_ad.unpack_dual(normal.x_hat).tangent
        assert forward_ad.unpack_dual(normal.mean).tangent is None
    torch.testing.assert_close(moved, jvp(lambda x: plain(x, AREA), (x,), (t,))[1])


# --- A mask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filling", [float("nan"), float("inf"), 1e30])
@pytest.mark.parametrize("centre", [True, False])
def test_what_the_mask_leaves_out_reaches_nothing(centre, filling):
    """Value, first and second order are those of the selection alone, and zeros beside it."""
    kept = torch.tensor([True, False, True, True, False, True])
    x, g, u = draw(6, 3, seed=15), draw(6, 3, seed=16) - 3, draw(6, 3, seed=17) - 3
    x[~kept] = filling

    def orders(x, g, u, mask):
        x, g = x.requires_grad_(), g.requires_grad_()
        y, mean, var = functional.standardise(x, (0,), eps=0.1, centre=centre, mask=mask)
        (first,) = torch.autograd.grad(y, x, g, create_graph=True)
        return y, first, *torch.autograd.grad(first, (x, g), u), mean, var

    *whole, mean, var = orders(x.clone(), g.clone(), u, kept[:, None])
    *selected, mean_of_selected, var_of_selected = orders(x[kept], g[kept], u[kept], None)
    for one, other in zip(whole, selected, strict=True):
        assert torch.isfinite(one).all() and not one[~kept].any() and one[kept].any()
        torch.testing.assert_close(one[kept], other)
    torch.testing.assert_close((mean, var), (mean_of_selected, var_of_selected))


def test_nan_in_the_upstream_gradient_of_masked_places_stays_there():
    x, g = draw(6, 3, seed=18).requires_grad_(), draw(6, 3, seed=19)
    kept = torch.tensor([True, True, False, True, True, True])[:, None]
    g[2] = float("nan")
    (back,) = torch.autograd.grad(functional.standardise(x, (0,), mask=kept).x_hat, x, g)
    assert torch.isfinite(back).all() and not back[2].any()


def test_a_set_with_nothing_in_it_is_zeros():
    x = torch.full((4, 3), float("nan"), dtype=torch.float64)
    x[:, 0] = draw(4, seed=20)
    x.requires_grad_()
    mask = torch.tensor([True, False, False])
    y, mean, var = functional.standardise(x, (0,), mask=mask)
    (back,) = torch.autograd.grad(y, x, draw(4, 3, seed=21))
    for values in (y, mean, var, back):
        assert torch.isfinite(values).all() and not values[:, 1:].any()
    torch.testing.assert_close(y[:, 0], plain(x.detach()[:, 0], (0,)))


def test_a_mask_of_everything_is_no_mask():
    x = draw(*SHAPE, seed=22)
    for one, other in zip(
        functional.standardise(x, AREA, mask=torch.tensor(True)), functional.standardise(x, AREA), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-14)


# --- Precision --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", HALF)
def test_half_precision_is_computed_in_float32(dtype, device):
    """To the bit what float32 gives for the same numbers; at a mean of 100 sums in half precision would be far off."""
    x = (100 + draw(64, 3, seed=23)).to(dtype).to(device).requires_grad_()
    g = draw(64, 3, seed=24, dtype=torch.float32, device=device) - 3
    normal = functional.standardise(x, (0,))
    wide = x.detach().float().requires_grad_()
    expected = functional.standardise(wide, (0,))
    assert {each.dtype for each in normal} == {torch.float32}
    torch.testing.assert_close(tuple(normal), tuple(expected), rtol=0, atol=0)
    (mine,), (theirs,) = torch.autograd.grad(normal.x_hat, x, g), torch.autograd.grad(expected.x_hat, wide, g)
    assert mine.dtype == dtype
    torch.testing.assert_close(mine, theirs.to(dtype), rtol=0, atol=0)


def test_float32_is_accurate_at_a_mean_of_ten_thousand(device):
    """The mean itself is rounded to 5e-4; E[x^2] - E[x]^2 would lose all digits of a variance of 4."""
    x = (1e4 + draw(256, 3, seed=25)).float()
    g = (draw(256, 3, seed=26) - 3).float()
    near, far = x.to(device).requires_grad_(), x.double().requires_grad_()
    mine, exact = functional.standardise(near, (0,)), functional.standardise(far, (0,))
    ulp = 1e4 * torch.finfo(torch.float32).eps
    torch.testing.assert_close(mine.x_hat.cpu().double(), exact.x_hat, rtol=0, atol=ulp)
    torch.testing.assert_close(mine.var.cpu().double(), exact.var, rtol=1e-4, atol=0)
    (mine,), (exact,) = (
        torch.autograd.grad(mine.x_hat, near, g.to(device)),
        torch.autograd.grad(exact.x_hat, far, g.double()),
    )
    torch.testing.assert_close(mine.cpu().double(), exact, rtol=0, atol=ulp * float(exact.abs().max()))


def test_the_layout_of_the_input_is_kept():
    images = draw(4, 3, 5, 2, seed=27).to(memory_format=torch.channels_last).requires_grad_()
    y = functional.standardise(images, (0, 2, 3)).x_hat
    g = draw(4, 3, 5, 2, seed=28)
    assert y.is_contiguous(memory_format=torch.channels_last)
    (back,) = torch.autograd.grad(y, images, g)
    assert back.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(back, torch.autograd.grad(plain(images, (0, 2, 3)), images, g)[0])


# --- torch.func, torch.compile ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOW)
def test_jacobians_agree_and_equal_that_of_the_formula(name):
    x = draw(*SHAPE, seed=29)
    f = lambda x: functional.standardise(x, AREA, **HOW[name]).x_hat  # noqa: E731
    expected = jacrev(lambda x: plain(x, AREA, **HOW[name]))(x)
    torch.testing.assert_close(jacrev(f)(x), expected)
    torch.testing.assert_close(jacfwd(f)(x), expected)


def test_hessian_equals_that_of_the_formula():
    x, g = draw(5, 2, seed=30), draw(5, 2, seed=31) - 3
    mine = hessian(lambda x: (functional.standardise(x, (0,)).x_hat * g).sum())(x)
    expected = hessian(lambda x: (plain(x, (0,)) * g).sum())(x)
    torch.testing.assert_close(mine, expected)
    assert expected.abs().max() > 1e-2
    torch.testing.assert_close(jacrev(jacrev(lambda x: (functional.standardise(x, (0,)).x_hat * g).sum()))(x), expected)


def test_vmap_is_a_loop():
    x, g = draw(3, 5, 2, seed=32), draw(3, 5, 2, seed=33) - 3
    mask = torch.rand(3, 5, 2, generator=torch.Generator().manual_seed(34)) < 0.7
    mask[:, :2] = True

    def back(x, g, mask):
        y, pull = vjp(lambda x: functional.standardise(x, (0,), mask=mask).x_hat, x)
        return y, pull(g)[0]

    alone = [torch.stack(each) for each in zip(*(back(*each) for each in zip(x, g, mask)))]
    torch.testing.assert_close(vmap(back)(x, g, mask), tuple(alone))
    torch.testing.assert_close(vmap(back, (1, 1, 1))(*(each.movedim(0, 1) for each in (x, g, mask))), tuple(alone))


@pytest.mark.parametrize("name", HOW)
def test_compiled_without_a_break_it_is_the_same(name):
    torch.compiler.reset()
    x, g = draw(*SHAPE, seed=35), draw(*SHAPE, seed=36) - 3
    how = HOW[name]

    def f(x):
        return functional.standardise(x, AREA, **how)

    results = []
    for each in (f, torch.compile(f, fullgraph=True, backend="aot_eager")):
        leaf = x.clone().requires_grad_()
        normal = each(leaf)
        assert [statistic.requires_grad for statistic in normal] == [True, False, False]
        results.append((*normal, *torch.autograd.grad(normal.x_hat, leaf, g)))
    torch.testing.assert_close(results[1], results[0])


# --- What goes with it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight, bias", [*itertools.product([True, False], repeat=2)])
def test_recovery_scales_and_shifts_where_there_is_what_to_do_it_with(weight, bias):
    x_hat, w, b = draw(5, 3, seed=37), draw(3, seed=38), draw(3, seed=39)
    y = functional.recover(x_hat, w if weight else None, b if bias else None, torch.float32)
    assert y.dtype == torch.float32
    torch.testing.assert_close(y.double(), x_hat * (w if weight else 1) + (b if bias else 0))


def test_moments_are_those_of_standardise():
    x = draw(*SHAPE, seed=40)
    for name in HOW:
        centred, *statistics = functional.moments(x, AREA, **HOW[name])
        normal = functional.standardise(x, AREA, **HOW[name])
        torch.testing.assert_close(tuple(statistics), tuple(normal[1:]))
        torch.testing.assert_close(centred, x - normal.mean)


@pytest.mark.parametrize(
    "x, how, error, says",
    [
        (torch.ones(4, 3), {"eps": 0}, ValueError, "expected a positive eps, got 0"),
        (torch.ones(4, 3), {"eps": -1e-5}, ValueError, "got -1e-05"),
        (torch.ones(4, 3), {"eps": float("nan")}, ValueError, "got nan"),
        (torch.ones(4, 3).int(), {}, TypeError, r"got torch.int32; convert it with x.float\(\)"),
        (torch.ones(4, 3).cfloat(), {}, TypeError, "got torch.complex64"),
        (torch.ones(4, 3), {"area": ()}, ValueError, "expected an area of one axis or more"),
        (torch.ones(4, 3), {"mask": torch.ones(4, 3)}, TypeError, "True for entries that count, got torch.float32"),
        (torch.ones(4, 3), {"mask": torch.ones(4, 2) > 0}, ValueError, r"of shape \(4, 3\), got \(4, 2\)"),
        (torch.ones(3), {"mask": torch.ones(4, 3) > 0}, ValueError, r"of shape \(3,\), got \(4, 3\)"),
    ],
)
def test_what_is_refused(x, how, error, says):
    with pytest.raises(error, match=says):
        functional.standardise(x, **{"area": (0,), **how})
