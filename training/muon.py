"""Muon: momentum made orthogonal for matrices and kernels, Adam for everything else."""

from collections.abc import Iterable
from typing import Any

import torch

#: Newton-Schulz coefficients, one row a step, that bring singular values to about one.
COEFFICIENTS = (
    (8.2873, -23.5959, 17.3004),
    (4.1071, -2.9478, 0.5448),
    (3.9487, -2.9089, 0.5518),
    (3.3184, -2.4885, 0.5100),
)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest (semi-)orthogonal matrices, roughly; the last two dimensions are the matrix.

    bfloat16 is enough for it (https://kellerjordan.github.io/posts/muon), in half the time.
    """
    wide = matrix.shape[-2] <= matrix.shape[-1]
    x = matrix if wide else matrix.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) * 1.02 + 1e-7)
    for a, b, c in COEFFICIENTS:
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.mT


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum at `lr` for parameters with two or more dimensions, Adam for the rest.

    Parameters with one of `adam_names` in their name are Adam's too: tables of embeddings, and the
    text encoder, whose attention has no normalisation; Muon makes its weights so large that it no
    longer learns which word belongs to which. `dtype` is what updates are made orthogonal in.
    `step` takes the schedule: a factor on both learning rates.
    """

    def __init__(
        self,
        named_parameters: Iterable[tuple[str, torch.nn.Parameter]],
        *,
        lr: float = 0.02,
        momentum: float = 0.95,
        adam_lr: float = 2e-3,
        dtype: torch.dtype = torch.float32,
        adam_names: tuple[str, ...] = ("shared", "embed_tokens", "text_encoder"),
    ) -> None:
        matrices, others = [], []
        for name, parameter in named_parameters:
            is_table = any(part in name for part in adam_names)
            is_matrix = parameter.ndim >= 2 and min(len(parameter), parameter[0].numel()) >= 16
            (matrices if is_matrix and not is_table else others).append(parameter)
        groups = [
            {"params": matrices, "lr": lr, "matrix": True},
            {"params": others, "lr": adam_lr, "matrix": False},
        ]
        super().__init__(groups, {"momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, factor: float = 1.0) -> None:  # ty: ignore[invalid-method-override]
        """Update all parameters that have gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                update = self._matrix_update if group["matrix"] else self._adam_update
                parameter.add_(update(parameter, group), alpha=-group["lr"] * factor)

    def _matrix_update(self, parameter: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        state, gradient = self.state[parameter], parameter.grad
        average = state.setdefault("average", torch.zeros_like(parameter))
        average.lerp_(gradient, 1 - group["momentum"])
        nesterov = gradient.lerp(average, group["momentum"])
        update = orthogonal(nesterov.reshape(len(parameter), -1).to(self.dtype))
        update = update.reshape(parameter.shape).to(parameter.dtype)
        return update * max(1.0, len(parameter) / parameter[0].numel()) ** 0.5

    def _adam_update(self, parameter: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
        state, gradient = self.state[parameter], parameter.grad
        average = state.setdefault("average", torch.zeros_like(parameter))
        square = state.setdefault("square", torch.zeros_like(parameter))
        state["count"] = count = state.get("count", 0) + 1
        average.lerp_(gradient, 0.1)
        square.lerp_(gradient.square(), 0.05)
        return (average / (1 - 0.9**count)) / ((square / (1 - 0.95**count)).sqrt() + 1e-8)
