"""What is measured inside a network while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .lockstep import Network, gradients, step


def percentiles(values: Tensor, of: Sequence[float] = (15, 50, 85)) -> np.ndarray:
    """Percentiles of every unit over the images.

    Parameters
    ----------
    values
        (lanes, images, units) tensor: such as the inputs of an activation
    of
        sequence of float: from 0 to 100

    Returns
    -------
    array
        (percentiles, lanes, units), linear between neighbours, as NumPy's
    """
    places = torch.tensor(of, dtype=values.dtype, device=values.device) / 100
    return torch.quantile(values, places, dim=1).cpu().numpy()


def gradient_change(net: Network, x: Tensor, y: Tensor, rate: Tensor, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """How far the gradient of one layer moves when only the layers below it make their step.

    The internal covariate shift of Santurkar et al. (2018), definition 2.1, for one batch: the gradient of the loss by
    the weights of the layer, G, and the same, G', after the parameters of all layers below have made their step on this
    batch. A layer whose input does not change has G' = G.

    Parameters
    ----------
    net
        before the step; is not changed
    x
        (lanes, images, features) tensor: the batch
    y
        (lanes, images) tensor of int: its labels
    rate
        (lanes,) tensor: the learning rate of each lane
    layer : int
        from 0; the first has no layer below and shifts by 0

    Returns
    -------
    change
        (lanes,) array: \\|G' − G\\| / \\|G\\|
    size
        (lanes,) array: \\|G\\|
    """
    if not 0 <= layer < len(net.weights):
        raise ValueError(f"expected a layer from 0 to {len(net.weights) - 1}, got {layer}")
    _, _, before = gradients(net, x, y)
    moved = net.copy()
    step(moved, before, rate)
    below = net.copy()
    for name in ("weights", "shifts", "gammas"):
        getattr(below, name)[:layer] = getattr(moved, name)[:layer]
    _, _, after = gradients(below, x, y)
    G, H = before[layer].flatten(1), after[layer].flatten(1)
    size = torch.linalg.vector_norm(G, dim=1)
    return (torch.linalg.vector_norm(H - G, dim=1) / size).cpu().numpy(), size.cpu().numpy()
