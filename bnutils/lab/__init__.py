"""Experiments with many networks at once, in PyTorch.

`lockstep` trains networks of one shape side by side, one a lane; `probes` measures what goes on inside them.
"""

from .lockstep import Dealt, Network, Signals, View, accuracy, cross, deal, forward, gradients, network, step, train
from .probes import gradient_change, percentiles

__all__ = [
    "Dealt",
    "Network",
    "Signals",
    "View",
    "accuracy",
    "cross",
    "deal",
    "forward",
    "gradient_change",
    "gradients",
    "network",
    "percentiles",
    "step",
    "train",
]
