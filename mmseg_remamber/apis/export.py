# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A segmentor as one file that runs without mmseg: torch.export's and ONNX's."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mmseg_remamber.models import ReferringSegmentor
from mmseg_remamber.text.tokenizer import save_for_clients

from .init_model import origin_of_model
from .query import PreparedPicture, Query

MAX_BATCH = 256
MIN_SIDE, MAX_SIDE = 33, 4096  # under 33 pixels the coarsest map has a single row
INPUTS = ('image', 'token_ids')


class ExportableSegmentor(nn.Module):
    """What is exported: pixels and token ids in, logits out.

    Normalisation is part of it. So is the token mask, which the text encoder makes of the ids, so
    that there is no second input that could disagree with them.

    Args:
        model: a :class:`ReferringSegmentor`, in evaluation mode.

    Raises:
        ValueError: when the model is in training mode.
    """

    def __init__(self, model: ReferringSegmentor):
        super().__init__()
        if model.training:
            raise ValueError('model must be in evaluation mode: call model.eval()')
        self.model = model

    def forward(self, image: Tensor, token_ids: Tensor) -> Tensor:
        """image: (B, H, W, 3) uint8 RGB, token_ids: (B, T) int64 -> logits (B, 1, H, W) float."""
        mean, std = (getattr(self.model.data_preprocessor, name) for name in ('mean', 'std'))
        img = (image.permute(0, 3, 1, 2).float() - mean) / std
        token_mask = self.model.text_encoder.mask_of(token_ids)
        return self.model.logits(img, token_ids, token_mask)


def example_inputs(model: ReferringSegmentor, batch: int = 2) -> tuple[Tensor, Tensor]:
    """Inputs to trace with: (B, 96, 128, 3) uint8 and (B, T) int64, all sizes different."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(256, (batch, 96, 128, 3), dtype=torch.uint8, generator=generator)
    token_ids = model.text_encoder.longest_sentence(Query(model).num_tokens)
    return image, token_ids.repeat(batch, 1)


def export_program(model: ReferringSegmentor) -> torch.export.ExportedProgram:
    """Trace a segmentor by torch.export, for any batch and any height and width.

    Batches up to 256 and sides from 33 to 4096 pixels; inputs and output as
    :meth:`ExportableSegmentor.forward`. A program that is loaded from a file needs
    ``import selective_scan`` before it runs.
    """
    dim = torch.export.Dim
    batch = dim('batch', min=1, max=MAX_BATCH)
    height, width = (dim(name, min=MIN_SIDE, max=MAX_SIDE) for name in ('height', 'width'))
    with torch.no_grad():
        return torch.export.export(
            ExportableSegmentor(model).eval(),
            example_inputs(model),
            dynamic_shapes=({0: batch, 1: height, 2: width}, {0: batch}),
        )


def save_onnx(program: torch.export.ExportedProgram, path: str | Path, metadata: dict) -> None:
    """Write a traced segmentor as ONNX, the scans as ONNX's own Scan.

    Args:
        program: of :func:`export_program`.
        path: file to write; weights beyond 2 GB go to ``<path>.data`` beside it.
        metadata: what a client needs to know, kept in the file as JSON strings.

    Raises:
        ImportError: without onnxscript, which nothing else needs.
    """
    try:
        from selective_scan.onnx import translation_table
    except ModuleNotFoundError as error:
        raise ImportError('exporting to ONNX: pip install onnx onnxscript') from error
    exported = torch.onnx.export(
        program,
        dynamo=True,
        input_names=list(INPUTS),
        output_names=['logits'],
        custom_translation_table=translation_table(),  # type: ignore[arg-type]  # narrower keys
        verbose=False,
    )
    assert exported is not None  # as dynamo is asked for
    exported.model.metadata_props.update({k: json.dumps(v) for k, v in metadata.items()})
    exported.save(path)


def save_tokenizer(model: ReferringSegmentor, path: str | Path) -> None:
    """Write the tokenizer of the model's pipeline as JSON that the ``tokenizers`` package reads.

    Padding and truncation to T tokens are part of it: the first T of ``encode(text).ids`` are what
    the model takes.
    """
    query = Query(model)
    save_for_clients(query.tokenizer, path, query.num_tokens, keep_end=query.keeps_end)


def client_metadata(model: ReferringSegmentor) -> dict:
    """What a client needs beside the network.

    Returns:
        ``size``, (height, width) that pictures are resized to, or None when they are taken as they
        are; ``threshold`` of the probability; and ``trained_on``, the origin of the training data
        as a dict, or None where the checkpoint does not record it.
    """
    size, trained_on = Query(model).size, origin_of_model(model)
    return dict(
        size=None if size is None else [size[1], size[0]],
        threshold=model.threshold,
        trained_on=None if trained_on is None else trained_on.to_dict(),
    )


@torch.no_grad()
def expected_logits(
    model: ReferringSegmentor, picture: PreparedPicture, texts: list[str]
) -> np.ndarray:
    """What the segmentor itself makes of a picture, to compare with.

    Args:
        model: the segmentor that was exported.
        picture: as :meth:`Query.picture` prepares it.
        texts: B sentences.

    Returns:
        (B, 1, H, W) float32, at the size of the prepared picture.
    """
    query = Query(model)
    data = query.batch([picture] * len(texts), [query.tokens(text) for text in texts])
    return model.encode_decode(data['inputs'], data['data_samples']).cpu().numpy()
