"""The text tower of an open_clip model, with the context cut to the texts at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fusiontheory.checks import InputError
from fusiontheory.typing import Single
from validation.backbones.backbone import Card, length_batches

__all__ = ["TextTower"]


@dataclass(frozen=True)
class TextTower:
    """Encodes texts in batches of about equal length, each cut to its longest text.

    The cut is exact: attention is causal and the output is read at the end token, so positions
    after it change nothing, and the positional embedding and the mask are cut alike. Towers of
    another kind (no causal mask, pooling elsewhere, Hugging Face models) get the full context.
    """

    card: Card
    model: Any
    tokenizer: Any
    device: torch.device

    @property
    def context(self) -> int:
        """The largest number of tokens of a text."""
        limit = int(self.model.context_length)
        return min(self.card.context or limit, limit)

    @property
    def cuttable(self) -> bool:
        """Whether the context can be cut without a change of the output."""
        tower = self._tower
        pool = getattr(self.model, "text_pool_type", getattr(tower, "pool_type", None))
        return (
            getattr(tower, "attn_mask", None) is not None
            and pool in ("argmax", "eos")
            and getattr(tower, "cls_emb", None) is None
            and not getattr(tower, "use_pad_mask", False)
        )

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], batch: int) -> Single:
        """Return (n, d) at unit norm, or (n, context, d) tokens with zeros after the end token.

        Raises:
            InputError: if tokens are asked of a tower whose tokens cannot be told apart.
        """
        tokens = self.card.output == "tokens"
        if tokens and not self.cuttable:
            raise InputError(f"backbone must have a causal text tower for tokens, got {self.card}")
        ids: torch.Tensor = self.tokenizer(list(texts), context_length=self.context)
        if not self.cuttable:
            parts = [
                self.model.encode_text(part.to(self.device)) for part in torch.split(ids, batch)
            ]
            return _unit(torch.cat(parts))
        ends = self._ends(ids)
        out: Single | None = None
        for rows in length_batches((ends + 1).tolist(), batch):
            length = int(ends[rows].max()) + 1
            part = self._forward(ids[rows, :length].to(self.device))
            if tokens:
                beyond = torch.arange(length)[None, :] > ends[rows, None]
                values = part.float().cpu().masked_fill(beyond[..., None], 0).numpy()
                values = np.pad(values, ((0, 0), (0, self.context - length), (0, 0)))
            else:
                values = _unit(part[torch.arange(len(rows)), ends[rows]])
            if out is None:
                out = np.empty((len(texts), *values.shape[1:]), dtype=np.float32)
            out[rows] = values
        if out is None:
            raise InputError("texts must hold at least one, got none")
        return out

    @property
    def _tower(self) -> Any:
        return getattr(self.model, "text", self.model)

    def _ends(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the position of the end token, the one that is read out."""
        pool = getattr(self.model, "text_pool_type", getattr(self._tower, "pool_type", None))
        if pool == "argmax":
            return ids.argmax(-1)
        end: Any = getattr(self.model, "text_eos_id", getattr(self._tower, "eos_id", None))
        return torch.eq(ids, end).int().argmax(-1)

    def _forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (n, length, d): all tokens after the last norm and the projection."""
        tower, length = self._tower, ids.shape[1]
        weight = tower.positional_embedding
        x = tower.token_embedding(ids).to(weight.dtype) + weight[:length]
        x = tower.transformer(x, attn_mask=tower.attn_mask[:length, :length].to(weight.dtype))
        x = tower.ln_final(x)
        projection = tower.text_projection
        if projection is None:
            return torch.as_tensor(x)
        projected = projection(x) if isinstance(projection, torch.nn.Linear) else x @ projection
        return torch.as_tensor(projected)


def _unit(rows: torch.Tensor) -> Single:
    unit = torch.nn.functional.normalize(rows.float(), dim=-1)
    return np.asarray(unit.cpu().contiguous().numpy())
