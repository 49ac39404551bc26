# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mIoU, oIoU and Pr@X of referring segmentation."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@METRICS.register_module()
class RefSegMetric(BaseMetric):
    """Metrics over sentences, in percent, at each image's own size.

    - ``mIoU``: mean over sentences of intersection over union; an empty union counts 0.
    - ``oIoU``: summed intersection over summed union (0 when every union is empty).
    - ``Pr@X``: share of sentences with IoU above X (strictly), X = 0.5, 0.6, ..., 0.9.
    - ``num_sentences``: how many sentences the above are over.

    Under distribution every sentence counts once: mmengine's samplers deal the dataset out in
    turn and pad at the end, its collection puts results back in turn and cuts the padding off.
    A sampler that breaks this is noticed by its repeated sentences.

    Args:
        records_file: Where to write a line of JSON for each sentence (img_path, ref_id, sent_id,
            text, iou in [0, 1]), sorted by image, ref and sentence.
        collect_device, prefix, collect_dir: As in :class:`mmengine.evaluator.BaseMetric`.
    """

    def __init__(
        self,
        records_file: str | None = None,
        *,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ):
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.records_file = records_file

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep what the metrics need of each sentence.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``pred_sem_seg`` and ``gt_sem_seg``, each with ``data``
                (1, h, w) in {0, 1}, and ``img_path``, ``ref_id``, ``sent_id``, ``text``.

        Raises:
            ValueError: Prediction and truth differ in size.
        """
        for sample in data_samples:
            pred = sample['pred_sem_seg']['data'].bool()
            truth = sample['gt_sem_seg']['data'].bool().to(pred.device)
            if pred.shape != truth.shape:
                raise ValueError(
                    f'prediction of size {tuple(pred.shape)}, truth of size {tuple(truth.shape)} '
                    f"for {sample['img_path']}: both must have the image's own size"
                )
            self.results.append(
                dict(
                    img_path=sample['img_path'],
                    ref_id=sample['ref_id'],
                    sent_id=sample['sent_id'],
                    text=sample['text'],
                    intersection=int((pred & truth).sum()),
                    union=int((pred | truth).sum()),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """The metrics over the records that ``process`` kept, of all processes.

        Raises:
            ValueError: No record, or a sentence with more than one.
        """
        if not results:
            raise ValueError('RefSegMetric has no sentence to evaluate')
        counts = Counter((r['img_path'], r['ref_id'], r['sent_id']) for r in results)
        (sentence, times), *_ = counts.most_common(1)
        if times > 1:
            raise ValueError(f'(image, ref, sentence) {sentence} was evaluated {times} times')
        intersection = np.array([r['intersection'] for r in results], dtype=np.int64)
        union = np.array([r['union'] for r in results], dtype=np.int64)
        iou = intersection / np.maximum(union, 1)
        if self.records_file is not None:
            self._write_records(results, iou)
        metrics = dict(mIoU=100 * iou.mean(), oIoU=100 * intersection.sum() / max(union.sum(), 1))
        metrics.update({f'Pr@{x}': 100 * (iou > x).mean() for x in THRESHOLDS})
        return {k: float(v) for k, v in metrics.items()} | {'num_sentences': len(results)}

    def _write_records(self, results: list[dict], iou: np.ndarray) -> None:
        fields = ('img_path', 'ref_id', 'sent_id', 'text')
        records = [{k: r[k] for k in fields} | {'iou': float(v)} for r, v in zip(results, iou)]
        records.sort(key=lambda r: (r['img_path'], r['ref_id'], r['sent_id']))
        path = Path(self.records_file)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = ''.join(json.dumps(record, ensure_ascii=False) + '\n' for record in records)
        path.write_text(lines, encoding='utf-8')
