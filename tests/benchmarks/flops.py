"""How many operations a training step takes by formula, how many the device does at best, and where time goes."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch

SHAPES = ((4096, 1024, 1024), (4096, 768, 3072), (2048, 2048, 2048), (4096, 4096, 4096), (8192, 8192, 8192))
"""(rows, inner, columns) of the products whose best is the device's rate; a processor does the first three."""


def count_step(config, lengths: Sequence[int] | np.ndarray, per_row: float = 0, per_token: float = 0) -> float:
    """Operations of forward and backward over rows of these real lengths, a multiplication and an addition being two.

    Per layer and token 8 h^2 (queries, keys, values, output) and 4 h i (feed-forward), per row 4 h T^2 (attention);
    the backward pass takes twice the forward's. `per_row` and `per_token` are the head's own, forward.
    """
    lengths, hidden = np.asarray(lengths, dtype=np.float64), config.hidden_size
    layer = (8 * hidden**2 + 4 * hidden * config.intermediate_size) * lengths.sum() + 4 * hidden * (lengths**2).sum()
    return 3 * float(config.num_hidden_layers * layer + per_row * len(lengths) + per_token * lengths.sum())


def measure_peak(device: torch.device, seconds: float = 1.0) -> float:
    """Operations per second of the best of several bf16 matrix products, each done for about so long."""
    on_gpu = device.type == "cuda"
    rates = []
    for rows, inner, columns in SHAPES if on_gpu else SHAPES[:3]:
        left = torch.randn(rows, inner, device=device, dtype=torch.bfloat16)
        right = torch.randn(inner, columns, device=device, dtype=torch.bfloat16)
        took = []
        left @ right
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            times = 50 if on_gpu else 1
            started = read_clock(device)
            for _ in range(times):
                left @ right
            took.append((read_clock(device) - started) / times)
        rates.append(2 * rows * inner * columns / float(np.median(took)))
    return max(rates)


def read_clock(device: torch.device) -> float:
    """Seconds, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


GROUPS: Mapping[str, tuple[str, ...]] = {
    "products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "attention", "aten::linear"),
    "optimizer": ("adam", "linalg_vector_norm", "foreach_norm", "foreach_mul", "clip_grad"),
    "copies, casts": ("aten::copy_", "aten::_to_copy", "aten::clone", "aten::contiguous", "memcpy"),
    "gelu": ("gelu",),
    "softmax, norms": ("softmax", "layer_norm"),
    "embeddings": ("embedding", "index_select", "gather", "aten::fill_", "aten::zero_"),
    "sums": ("aten::sum", "aten::add", "aten::mul", "aten::div"),
}
"""What operators of the profiler belong together: each to the first group of which its name holds a part."""


def share_time(profile) -> dict[str, float]:
    """Group -> its share of the time that operators took themselves; `rest` are the others."""
    shares = dict.fromkeys((*GROUPS, "rest"), 0.0)
    for event in profile.key_averages():
        name = event.key.lower()
        group = next((group for group, parts in GROUPS.items() if any(part in name for part in parts)), "rest")
        shares[group] += max(event.self_cpu_time_total, getattr(event, "self_device_time_total", 0) or 0)
    total = sum(shares.values()) or 1.0
    return {group: value / total for group, value in shares.items()}
