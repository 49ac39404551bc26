# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Refuse sentences that the text encoder cannot read."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class TokenCheckHook(Hook):
    """Asks the text encoder, before the first batch of an epoch, whether it knows the tokens.

    A tokenizer of another model gives ids that mean other words. Nothing fails then: the encoder
    reads every sentence alike, and the model learns where objects tend to be.

    Raises:
        ValueError: from ``text_encoder.check_ids``, with the sentence.
    """

    priority = 'VERY_HIGH'

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, mode: str = 'train'
    ) -> None:
        if batch_idx > 0 or data_batch is None:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not hasattr(model, 'text_encoder'):  # a model without sentences
            return
        for sample in data_batch['data_samples']:
            if 'token_ids' not in sample:  # which the segmentor names itself
                continue
            try:
                model.text_encoder.check_ids(sample.token_ids[None])
            except ValueError as error:
                raise ValueError(f'{error} (sentence {sample.get("text")!r})') from error
