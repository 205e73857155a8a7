"""Muon: momentum whose matrices are made orthogonal before they are applied (Jordan et al., 2024).

PyTorch's own computes in bfloat16, which processors without instructions for it emulate at a tenth of the speed; here
matrices of one shape are done together, in 32-bit floats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration; they bring singular values near 1 in five rounds."""
_ROUNDS = 5


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """For the matrices inside a network; embeddings and vectors want another optimizer.

    Args:
        matrices: the parameters, each of two dimensions.
        lr: how far a step goes, as the size of an orthogonal matrix's entries.
        momentum: of the gradients.
        weight_decay: what a step of rate 1 takes off.
    """

    def __init__(
        self, matrices: Iterable[Any], *, lr: float, momentum: float = 0.95, weight_decay: float = 0.01
    ) -> None:
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: None = None) -> None:
        """Moves the parameters by their gradients."""
        for group in self.param_groups:
            shapes: dict[Any, list[Any]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    shapes[matrix.shape].append(matrix)
            for shape, matrices in shapes.items():
                updates = orthogonal(torch.stack([self._momentum(one, group["momentum"]) for one in matrices]))
                scale = max(1.0, shape[0] / shape[1]) ** 0.5
                for matrix, update in zip(matrices, updates, strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    matrix.add_(update, alpha=-group["lr"] * scale)

    def _momentum(self, matrix: Any, momentum: float) -> Any:
        state = self.state[matrix]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(matrix)
        state["momentum"].lerp_(matrix.grad, 1 - momentum)
        return matrix.grad.lerp(state["momentum"], momentum)


def orthogonal(matrices: Any) -> Any:
    """Matrices with the same singular vectors and singular values near 1; the first dimension counts them."""
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    found = matrices.mT if tall else matrices
    found = found / (found.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        square = found @ found.mT
        found = a * found + (b * square + c * square @ square) @ found
    return found.mT if tall else found
