"""What the tests of bnutils.nn share: twins of one layer, and the comparison of all that comes out of two."""

import copy

import pytest
import torch
from hypothesis import Phase, settings

from bnutils import device

STEADY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    max_examples=25,
    phases=[Phase.generate, Phase.shrink],
)
PLACE = device.choose()  # of the tests in float32 and below; algebra in float64 stays on the CPU
# what PyTorch 2.13 says of itself, in its forward mode and in its compiler
OLD_SCRIPT = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
COMPILING = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
CLOSE = {torch.float64: 1e-10, torch.float32: 2e-5, torch.float16: 1e-2, torch.bfloat16: 8e-2}


def draw(*shapes, seed, dtype=torch.float64):
    """Random tensors from one generator; the first, a batch, has a mean of 3 and a deviation of 2."""
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    drawn[0] = 2 * drawn[0] + 3
    each = [value.to(dtype) for value in drawn]
    return each[0] if len(each) == 1 else each


def shaken(module, seed):
    """The module with other parameters and running statistics than those it begins with."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in [*module.named_parameters(), *module.named_buffers()]:
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator, dtype=torch.float64) + 0.5 * ("var" in name))
    return module


def twins(mine, theirs, *arguments, seed=0, dtype=torch.float64, **options):
    """A layer of each class, with the same numbers."""
    ours = shaken(mine(*arguments, **options).to(dtype), seed)
    other = theirs(*arguments, **options).to(dtype)
    other.load_state_dict(ours.state_dict())
    return ours, other


def close(a, b, dtype=torch.float64):
    """Equal, up to the rounding of this dtype and the size of the numbers."""
    assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, b.shape, a.dtype, b.dtype)
    if a.numel():
        atol = CLOSE[dtype] * max(1.0, float(b.detach().abs().max()))
        torch.testing.assert_close(a.detach(), b.detach(), rtol=0, atol=atol)


def outcome(function, x, dy, parameters=(), second=None):
    """The output, the gradient of input and parameters, and with ``second`` that of ``dx * second`` again."""
    x = x.detach().clone().requires_grad_()
    y = function(x)
    learned = [x, *parameters]
    gradients = torch.autograd.grad(y, learned, dy, create_graph=second is not None)
    found = [y, *gradients]
    if second is not None:
        product = (gradients[0] * second).sum()
        linear = not product.requires_grad  # in x, with nothing to be learned: all is 0
        again = [None] * len(learned) if linear else torch.autograd.grad(product, learned, allow_unused=True)
        found += [torch.zeros_like(p) if g is None else g for p, g in zip(learned, again)]
    return found


def agree(mine, theirs, x, dy, second=None, dtype=None):
    """Output, gradients and buffers of two modules, and the second order where ``second`` is given."""
    pairs = zip(
        outcome(mine, x, dy, list(mine.parameters()), second),
        outcome(theirs, x, dy, list(theirs.parameters()), second),
        strict=True,
    )
    for a, b in pairs:
        close(a, b, dtype or x.dtype)
    for a, b in zip(mine.buffers(), theirs.buffers(), strict=True):
        close(a, b, dtype or x.dtype)


def state(module):
    """A copy of all that a module holds."""
    return copy.deepcopy(module.state_dict())


def unchanged(module, before):
    """Whether the module holds to the digit what it held."""
    return all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
