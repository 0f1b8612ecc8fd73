"""The symptoms of practice/when-it-goes-wrong: their form, and their diagnoses pasted into a program of their own."""

import ast
import copy
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from press import manuscript

ROOT = Path(__file__).resolve().parents[1]
PAGE = manuscript.read_page(ROOT, ROOT / "manuscript/practice/when-it-goes-wrong.md")
PARTS = [
    "What you see.",
    "Yes or no, in thirty seconds.",
    "Why.",
    "Cure.",
    "What does not cure it.",
    "Who met it.",
    "Where it is explained.",
]
SECTIONS = re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", PAGE.text, re.M)
SYMPTOMS = [(title, text) for title, text in SECTIONS if "**What you see.**" in text]


def pasted(name):
    """A function of the page, with nothing around it but the imports of its cell."""
    for cell in PAGE.code:
        tree = ast.parse(cell.source)
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        if name in names and isinstance(tree.body[0], ast.Import | ast.ImportFrom):
            kinds = ast.Import | ast.ImportFrom | ast.FunctionDef
            alone = ast.Module([node for node in tree.body if isinstance(node, kinds)], [])
            space = {}
            exec(compile(alone, name, "exec"), space)
            return space[name]
    raise LookupError(f"expected a cell that begins with imports and defines {name}, found none")


def model(**settings):
    """Channels and positions, then a pooling over all positions, then a batch normalization of single features."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5, **settings), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        *(nn.Linear(5, 7), nn.BatchNorm1d(7, **settings), nn.Linear(7, 4)),
    )


@pytest.fixture
def x():
    return torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("title", "text"), SYMPTOMS, ids=[title[:40] for title, _ in SYMPTOMS])
def test_a_symptom_has_its_parts_in_order_and_two_threads(title, text):
    found = [part for part in re.findall(r"^\*\*(.+?)\*\*", text, re.M) if part in PARTS]
    assert found == PARTS
    met = text[text.index("**Who met it.**") : text.index("**Where it is explained.**")]
    assert len(set(re.findall(r"https://github\.com/[^)\s]+/(?:issues|pull)/\d+", met))) >= 2
    assert re.search(r"\.\./\w+/[\w-]+\.ipynb", text[text.index("**Where it is explained.**") :])


def test_the_page_says_how_many_symptoms_are_to_come():
    planned = next(text for title, text in SECTIONS if title.startswith("Twelve symptoms"))
    assert len(re.findall(r"^- ", planned, re.M)) == 12 and len(SYMPTOMS) == 3


def test_dependence_on_the_batch_is_seen_and_leaves_the_model_alone(x):
    depends = pasted("depends_on_the_batch")
    net = model()
    before = copy.deepcopy(net.state_dict())
    assert depends(net.train(), x) and not depends(net.eval(), x)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert depends(model(track_running_stats=False).eval(), x)
    assert not depends(nn.Sequential(nn.Flatten(), nn.LayerNorm(108), nn.Linear(108, 4)).train(), x)


def test_rounding_is_no_dependence(x):
    class Rounding(nn.Module):
        def forward(self, x):
            return x.flatten(1) * (1 + 1e-6 * len(x))

    assert not pasted("depends_on_the_batch")(Rounding(), x)


def test_single_values_are_those_that_training_refuses(x):
    single, net = pasted("single_values"), model()
    for batch in (x, x[:2], x[:1]):
        found = single(net, batch)
        try:
            copy.deepcopy(net).train()(batch)
            refused = False
        except ValueError:
            refused = True
        assert bool(found) == refused
    assert single(net, x[:1]) == [(1, 7)]
    assert not any(part._forward_pre_hooks for part in net.modules()), "the hooks were put on a copy"


def test_differing_and_untouched_buffers_are_named(x):
    differing, untouched = pasted("differing_buffers"), pasted("untouched")
    net = model()
    fresh = copy.deepcopy(net)
    assert differing(net, fresh) == [] and untouched(net) == ["1.running_mean", "6.running_mean"]
    net.train()(x)
    counted = ("running_mean", "running_var", "num_batches_tracked")
    assert differing(net, fresh) == [f"{layer}.{name}" for layer in (1, 6) for name in counted]
    assert untouched(net) == [] and untouched(fresh) != []
    fresh.load_state_dict(net.state_dict())
    assert differing(net, fresh) == []
    with torch.no_grad():
        fresh[0].weight.add_(1)
    assert differing(net, fresh) == [], "weights are not buffers"
