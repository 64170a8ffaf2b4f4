"""Encoders that do not fit: activations computed twice, and additions of low rank in place of all weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from xt.model import Network


def layers_of(network: Network) -> list[torch.nn.Module]:
    """The layers of the encoder, in its order, as transformers marks them."""
    return [module for module in network.encoder.modules() if isinstance(module, GradientCheckpointingLayer)]


def recompute_activations(network: Network) -> None:
    """Has each layer computed again on the way back, so that training keeps one layer's activations, not all; exact.

    Raises ValueError where transformers cannot for this encoder, and for `last_layer = "first"`, whose cut is not there
    any more on the way back.
    """
    encoder = network.encoder
    if not (encoder.supports_gradient_checkpointing and layers_of(network)):
        raise ValueError(f"activations = 'recomputed' is not to be had for {encoder.config.model_type}; allowed: kept")
    if network.last_layer != "all":
        raise ValueError(f"activations = 'recomputed' with last_layer = {network.last_layer!r}; allowed: 'all'")
    encoder.activation_checkpointing_enable({"use_reentrant": False})


@contextmanager
def adapters_only(network: Network, rank: int, alpha: float, seed: int) -> Iterator[None]:
    """While it lasts, of the encoder's layers only additions of this rank to their products are trained (LoRA: Hu et
    al. 2021, arXiv 2106.09685), drawn from `seed`; heads and poolers are trained whole. Then they are added in.

    Raises ValueError where peft is not installed.
    """
    try:
        from peft import LoraConfig, LoraModel
    except ImportError as error:
        raise ValueError("lora_rank needs peft, which is not installed: pip install 'xt[large]'; allowed: 0") from error
    encoder, inner = network.encoder, {f"{name}." for name, _ in network.encoder.named_children() if name != "pooler"}
    names = [name for name, module in encoder.named_modules()
             if isinstance(module, torch.nn.Linear) and name.startswith(tuple(inner))]  # fmt: skip
    torch.manual_seed(seed)
    adapted = LoraModel(encoder, LoraConfig(r=rank, lora_alpha=alpha, target_modules=names), "default")
    poolers = [getattr(model.base_model, "pooler", None) for model in network.models.values()]
    for pooler in filter(None, poolers):
        for parameter in pooler.parameters():
            parameter.requires_grad_(True)
    try:
        yield
    finally:
        adapted.merge_and_unload()
