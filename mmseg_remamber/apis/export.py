# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""A segmentor as one file that runs without mmseg: torch.export's and ONNX's."""

import json
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import Compose
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmseg_remamber.datasets.tokenizer import load_tokenizer

MAX_BATCH = 256
MIN_SIDE, MAX_SIDE = 33, 4096  # under 33 pixels the coarsest map has a single row
INPUTS = ('image', 'token_ids')


class ExportableSegmentor(nn.Module):
    """What is exported: pixels and token ids in, logits out.

    Normalisation is part of it. So is the token mask: every tokenizer here marks the tokens up to
    and with the first end token, hence the mask follows from the ids, and there is no second input
    that could disagree with them.

    Args:
        model: a :class:`ReferringSegmentor`, in evaluation mode.

    Raises:
        ValueError: when the model is in training mode.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        if model.training:
            raise ValueError('model must be in evaluation mode: call model.eval()')
        self.model = model

    def forward(self, image: Tensor, token_ids: Tensor) -> Tensor:
        """image: (B, H, W, 3) uint8 RGB, token_ids: (B, T) int64 -> logits (B, 1, H, W) float."""
        normalise = self.model.data_preprocessor
        img = (image.permute(0, 3, 1, 2).float() - normalise.mean) / normalise.std
        is_end = (token_ids == self.model.text_encoder.eos_id).long()
        token_mask = is_end.cumsum(1) - is_end == 0  # no end token before
        return self.model.logits(img, token_ids, token_mask)


def example_inputs(model: nn.Module, batch: int = 2) -> tuple[Tensor, Tensor]:
    """Inputs to trace with: (B, 96, 128, 3) uint8 and (B, T) int64, all sizes different."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(256, (batch, 96, 128, 3), dtype=torch.uint8, generator=generator)
    num_tokens = tokenize_step(model)['max_tokens']
    token_ids = torch.full((batch, num_tokens), model.text_encoder.eos_id)
    token_ids[:, : num_tokens // 2] = 1
    return image, token_ids


def export_program(model: nn.Module) -> torch.export.ExportedProgram:
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
        custom_translation_table=translation_table(),
        verbose=False,
    )
    exported.model.metadata_props.update({k: json.dumps(v) for k, v in metadata.items()})
    exported.save(path)


def save_tokenizer(model: nn.Module, path: str | Path) -> None:
    """Write the tokenizer of the model's pipeline as JSON that the ``tokenizers`` package reads.

    Padding and truncation to T tokens are part of it: ``encode(text).ids`` is what the model takes.
    """
    step = tokenize_step(model)
    tokenizer = load_tokenizer(step.get('tokenizer'))
    # calling it once sets length and side of padding and truncation in the backend
    tokenizer('a', padding='max_length', truncation=True, max_length=step['max_tokens'])
    tokenizer.backend_tokenizer.save(str(path))


def client_metadata(model: nn.Module) -> dict:
    """What a client needs beside the network: size (height, width) that pictures are resized to,
    or null when they are taken as they are, and the threshold of the probability."""
    resize = [step for step in _steps(model) if step['type'] == 'Resize']
    size = list(reversed(resize[0]['scale'])) if resize else None
    return dict(size=size, threshold=model.threshold)


def tokenize_step(model: nn.Module) -> dict:
    """The step of the model's test pipeline that makes token ids.

    Raises:
        ValueError: when there is none.
    """
    for step in _steps(model):
        if step['type'] == 'TokenizeText':
            return step
    raise ValueError('the test pipeline of the config has no TokenizeText')


def _steps(model: nn.Module) -> list[dict]:
    return model.cfg.test_dataloader.dataset.pipeline


def expected_logits(model: nn.Module, image: np.ndarray, texts: list[str]) -> np.ndarray:
    """What the segmentor makes of a picture by its own pipeline's steps, to compare with.

    image: (H, W, 3) uint8 RGB, one sentence for each row of the result
    -> (B, 1, H, W) float32
    """
    tokenize = Compose([dict(tokenize_step(model))])
    samples = []
    for text in texts:
        results = tokenize(dict(text=text))
        sample = SegDataSample()
        sample.set_data({key: results[key] for key in ('token_ids', 'token_mask')})
        samples.append(sample)
    bgr = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))
    data = dict(inputs=[bgr] * len(texts), data_samples=samples)
    with torch.no_grad():
        data = model.data_preprocessor(data, training=False)
        return model.encode_decode(data['inputs'], data['data_samples']).cpu().numpy()
