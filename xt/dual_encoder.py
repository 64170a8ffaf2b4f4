"""One encoder for queries and candidates: first-token vectors whose scaled cosines rank (after XTREME-R's LAReQA)."""

from collections.abc import Mapping

import torch
from torch.nn.functional import cross_entropy, normalize

SCALE = "ranking_scale"
"""Where the learned scale stands in the configuration of a saved encoder."""


class DualEncoder(torch.nn.Module):
    """An encoder without its pooler, and the learned scale of its cosines, 100 at first.

    What it saves is an encoder that `AutoModel` opens; the scale goes into its configuration.
    """

    def __init__(self, encoder):
        super().__init__()
        if hasattr(encoder, "pooler"):
            encoder.pooler = None
        self.encoder = encoder
        self.scale = torch.nn.Parameter(torch.tensor(float(getattr(encoder.config, SCALE, 100.0))))

    @property
    def base_model(self) -> torch.nn.Module:
        """The encoder."""
        return self.encoder

    @property
    def config(self):
        """The encoder's configuration."""
        return self.encoder.config

    def get_output_embeddings(self) -> None:
        """None: it predicts no tokens."""

    def save_pretrained(self, folder, **options) -> None:
        """Writes the encoder, with the scale in its configuration."""
        setattr(self.config, SCALE, self.scale.item())
        self.encoder.save_pretrained(folder, **options)

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        """(..., H) the last hidden state's first token of each row of inputs (..., T)."""
        shape = inputs["input_ids"].shape
        flat = {name: values.reshape(-1, shape[-1]) for name, values in inputs.items()}
        return self.encoder(**flat).last_hidden_state[:, 0].reshape(*shape[:-1], -1)


def scaled_vectors(model: DualEncoder, inputs: Mapping, labels=None) -> torch.Tensor:
    """(B, R, H) or (B, H) vectors of inputs (B, R, T) or (B, T), R = 2 being a query and its passage.

    Each has the root of the scale as its length, so that dot products are scaled cosines. The R rows of a feature are
    read apart, each padded to the longest of its kind only.
    """
    if inputs["input_ids"].ndim == 3:
        kinds = [trim({name: v[:, row] for name, v in inputs.items()}) for row in range(inputs["input_ids"].shape[1])]
        return torch.stack([scaled_vectors(model, kind) for kind in kinds], dim=1)
    return normalize(model(**inputs).float(), dim=-1) * model.scale.sqrt()


def trim(inputs: Mapping) -> dict[str, torch.Tensor]:
    """The same inputs without the columns that are padding in every row (padding stands at the right)."""
    longest = int(inputs["attention_mask"].sum(dim=1).max())
    return {name: values[:, :longest] for name, values in inputs.items()}


def in_batch_loss(vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each query's own passage among all passages of the update, summed; `vectors` (B, 2, H)."""
    scores = vectors[:, 0] @ vectors[:, 1].T
    return cross_entropy(scores, torch.arange(len(scores), device=scores.device), reduction="sum")
