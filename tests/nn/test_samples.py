"""PyTorch's own sample inputs, those it tests its layers with, through ours.

``module_db`` holds samples of modules, ``op_db`` of the functions behind them. A row of a table names what is run.
"""

import functools
import inspect
import os
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bnutils import nn as ours

TOLERANCES = {torch.float16: 4e-3, torch.float32: 2e-5, torch.float64: 1e-11}  # of the largest value
MODULES = {  # name: how many samples a dtype and a mode there are at least, how many of them are errors
    "BatchNorm1d": (8, 2),
    "BatchNorm2d": (7, 2),
    "BatchNorm3d": (7, 2),
    "LayerNorm": (7, 0),
    "GroupNorm": (10, 1),
    "InstanceNorm1d": (6, 0),
    "InstanceNorm2d": (6, 0),
    "InstanceNorm3d": (6, 0),
    "RMSNorm": (6, 0),
}
NAMES = ["weight", "bias", "running_mean", "running_var", "training", "momentum", "eps"]
OPS = {  # name: the function whose arguments it takes, samples at least, how many of them no module takes, errors
    "nn.functional.batch_norm": (F.batch_norm, 12, 2, 0),
    "native_batch_norm": (NAMES, 10, 0, 0),
    "nn.functional.layer_norm": (F.layer_norm, 6, 0, 0),
    "native_layer_norm": (["normalized_shape", "weight", "bias", "eps"], 4, 0, 4),
    "nn.functional.group_norm": (F.group_norm, 21, 0, 2),
    "nn.functional.instance_norm": (F.instance_norm, 8, 0, 0),
    "nn.functional.rms_norm": (F.rms_norm, 6, 0, 3),
}


@functools.cache
def databases():
    """Both, by name. Imported here, for it takes seconds and whoever collects tests imports this file."""
    with mock.patch.dict(os.environ):
        from torch.testing._internal.common_methods_invocations import op_db
        from torch.testing._internal.common_modules import module_db

    modules = {info.module_cls.__name__: info for info in module_db}
    return modules, {info.name: info for info in op_db if not info.variant_test_name}


def global_state():
    return (
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.backends.mkldnn.enabled,
        torch.get_rng_state().tolist(),
        dict(os.environ),
    )


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        yield


def close(mine, theirs, dtype, least=1.0):
    assert mine.dtype == theirs.dtype and mine.shape == theirs.shape and mine.device == theirs.device
    bound = TOLERANCES[dtype] * max(least, float(theirs.detach().abs().max()) if theirs.numel() else 0.0)
    torch.testing.assert_close(mine, theirs, rtol=0, atol=bound)


def gradients(y, tensors):
    """By an upstream gradient that is the same for two outputs of one shape."""
    drawn = torch.randn(y.shape, generator=torch.Generator().manual_seed(11)).to(y)
    return torch.autograd.grad(y, tensors, drawn, allow_unused=True, materialize_grads=True)


def same(mine, theirs, mine_of, theirs_of, dtype, least=1.0):
    """Outputs, and gradients of the tensors given; ``least`` is the size of gradients that cancel."""
    close(mine, theirs, dtype)
    for one, other in zip(gradients(mine, mine_of), gradients(theirs, theirs_of), strict=True):
        close(one, other, dtype, least)


def dtypes_of(info):
    return [dtype for dtype in TOLERANCES if dtype in info.dtypes]


def refused_alike(mine, theirs):
    with pytest.raises(Exception) as expected:
        theirs()
    with pytest.raises(Exception) as raised:
        mine()
    assert issubclass(raised.type, (expected.type, ValueError)), (raised.value, expected.value)


def test_importing_the_databases_changes_nothing_for_other_tests():
    databases.cache_clear()
    before = global_state()
    databases()
    assert global_state() == before


# --- Modules ----------------------------------------------------------------------------------------------------------


def module_samples(name, dtype, training):
    info = databases()[0][name]
    return info.module_inputs_func(info, "cpu", dtype, requires_grad=True, training=training)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODULES)
def test_samples_of_modules(name, training):
    info = databases()[0][name]
    for dtype in dtypes_of(info):
        ran = 0
        for sample in module_samples(name, dtype, training):
            made, given = sample.constructor_input, sample.forward_input
            theirs = info.module_cls(*made.args, dtype=dtype, **made.kwargs).train(training)
            with torch.no_grad():
                for values in (*theirs.parameters(), *(each for each in theirs.buffers() if each.is_floating_point())):
                    values.copy_(torch.rand(values.shape) + 0.5)
            mine = getattr(ours, name)(*made.args, dtype=dtype, **made.kwargs).train(training)
            mine.load_state_dict(theirs.state_dict())
            assert not given.kwargs
            (x,) = (each.detach() for each in given.args)
            leaves = [x.clone().requires_grad_() for _ in range(2)]
            outputs = [module(leaf) for module, leaf in zip((mine, theirs), leaves)]
            of = [[leaf, *module.parameters()] for leaf, module in zip(leaves, (mine, theirs))]
            same(*outputs, *of, dtype)
            for key, values in theirs.state_dict().items():
                close(mine.state_dict()[key], values, dtype)
            ran += 1
        print(f"{name}, {dtype}, {'training' if training else 'eval'}: {ran} samples")
        assert ran >= MODULES[name][0]


@pytest.mark.parametrize("name", [name for name, (_, errors) in MODULES.items() if errors])
def test_error_samples_of_modules(name):
    info = databases()[0][name]
    samples = info.module_error_inputs_func(info, "cpu", torch.float32, requires_grad=False, training=True)
    for sample in samples:
        made, given = sample.module_error_input.constructor_input, sample.module_error_input.forward_input

        def call(cls, made=made, given=given):
            module = cls(*made.args, **made.kwargs)
            return module(*given.args) if given else module

        refused_alike(functools.partial(call, getattr(ours, name)), functools.partial(call, info.module_cls))
    assert len(samples) >= MODULES[name][1]


# --- Functions --------------------------------------------------------------------------------------------------------


def arguments_of(name, sample):
    """The arguments of a sample by name, with the defaults of the function."""
    how = OPS[name][0]
    if isinstance(how, list):
        return SimpleNamespace(**dict(zip(how, sample.args, strict=True)), **sample.kwargs)
    bound = inspect.signature(how).bind(sample.input, *sample.args, **sample.kwargs)
    bound.apply_defaults()
    return SimpleNamespace(**{key: value for key, value in bound.arguments.items() if key != "input"})


def module_for(name, x, a):
    """Our module with the arguments of a function, None where no module takes the input."""
    dtype = x.dtype
    if name.endswith("layer_norm"):
        module = ours.LayerNorm(a.normalized_shape, a.eps, dtype=dtype)
    elif name.endswith("rms_norm"):
        module = ours.RMSNorm(a.normalized_shape, a.eps, dtype=dtype)
    elif name.endswith("group_norm"):
        module = ours.GroupNorm(a.num_groups, x.shape[1] if x.dim() > 1 else a.num_groups, a.eps, dtype=dtype)
    else:
        kind = "InstanceNorm" if "instance" in name else "BatchNorm"
        places = {2: 1, 3: 1, 4: 2, 5: 3}.get(x.dim())
        if not places:
            return None
        tracked = a.running_mean is not None
        module = getattr(ours, f"{kind}{places}d")(
            x.shape[1], a.eps, a.momentum, affine=True, track_running_stats=tracked, dtype=dtype
        )
        if tracked:
            module.running_mean.copy_(a.running_mean)
            module.running_var.copy_(a.running_var)
        module.train(a.use_input_stats if kind == "InstanceNorm" else a.training)
    for each in ("weight", "bias"):
        values = getattr(a, each, None)
        setattr(module, each, None if values is None else nn.Parameter(values.detach().clone()))
    return module


@pytest.mark.parametrize("name", OPS)
def test_samples_of_functions(name):
    info, (_, fewest, no_module, _) = databases()[1][name], OPS[name]
    for dtype in dtypes_of(info):
        ran, refused, left_out = 0, 0, 0
        for sample in info.sample_inputs("cpu", dtype, requires_grad=True):
            x, a = sample.input, arguments_of(name, sample)
            module = module_for(name, x, a)  # before the function changes the running averages it was given
            if module is None:
                left_out += 1
                continue
            expected = info.op(x, *sample.args, **sample.kwargs)
            expected, *statistics = expected if isinstance(expected, tuple) else (expected,)
            leaf = x.detach().clone().requires_grad_()
            if a.eps is not None and a.eps <= 0 and x.numel():  # ours: such a layer can divide by 0
                with pytest.raises(ValueError, match="eps"):
                    module(leaf)
                refused += 1
                continue
            y = module(leaf)
            theirs = [x, *(getattr(a, each) for each in ("weight", "bias") if getattr(a, each, None) is not None)]
            # of one value the gradient is 0, and theirs a rounding of this
            cancelled = a.eps**-0.5 if x.numel() == 1 and a.eps else 1.0
            same(y, expected, [leaf, *module.parameters()], theirs, dtype, cancelled)
            for each in ("running_mean", "running_var"):
                if getattr(a, each, None) is not None:
                    close(getattr(module, each), getattr(a, each), dtype)
            if name == "native_batch_norm" and a.training:
                normal = ours.functional.standardise(x, (0, *range(2, x.dim())), eps=a.eps)
                for one, other in zip((normal.mean, torch.rsqrt(normal.var + a.eps)), statistics, strict=True):
                    close(one.flatten().to(other.dtype), other, dtype)
            ran += 1
        print(f"{name}, {dtype}: {ran} samples, {refused} refused for their eps, {left_out} without a module")
        assert ran >= fewest - no_module - refused and left_out == no_module and ran > refused


@pytest.mark.parametrize("name", [name for name, (*_, errors) in OPS.items() if errors])
def test_error_samples_of_functions(name):
    info = databases()[1][name]
    ran = 0
    for error in info.error_inputs("cpu"):
        sample = error.sample_input
        x, a = sample.input, arguments_of(name, sample)
        theirs = functools.partial(info.op, x, *sample.args, **sample.kwargs)
        refused_alike(lambda x=x, a=a: module_for(name, x, a)(x), theirs)
        ran += 1
    assert ran >= OPS[name][3]
