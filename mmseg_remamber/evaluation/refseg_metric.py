# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The metrics of referring segmentation, with and without targets."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dist import all_gather_object
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS

from .protocols import PROTOCOLS

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
_KEY = ('img_path', 'ref_id', 'sent_id')
_OPTIONAL = ('num_tokens', 'truncated')


@METRICS.register_module()
class RefSegMetric(BaseMetric):
    """Metrics over sentences, in percent.

    Over sentences that have a target:

    - ``mIoU``: mean over sentences of intersection over union; an empty union counts 0.
    - ``Pr@X``: share of sentences with IoU above X (strictly; in ``protocol='lavt'`` X itself
      counts too), X = 0.5, 0.6, ..., 0.9.

    Over all sentences:

    - ``oIoU``, also called cIoU: summed intersection over summed union (0 when every union is
      empty).
    - ``num_sentences``; and ``num_truncated``, of those how many had more tokens than the model was
      given, where the pipeline counts that.

    And where the data have sentences without a target (``no_target``, of gRefCOCO), after Liu et
    al., GRES, CVPR 2023, with an empty prediction for the decision that there is none:

    - ``gIoU``: mean over all sentences, where one without a target counts 1 if the prediction is
      empty and 0 if not.
    - ``N-acc``: share of sentences without a target whose prediction is empty.
    - ``T-acc``: share of sentences with a target whose prediction is not empty.
    - ``num_no_target``: how many sentences have none.

    ``protocol``, the only text among the numbers, says how they were measured: mmengine writes it
    to the log and to the test's JSON file along with them.

    Every sentence counts once, whatever the number of processes, the batch size and the sampler:
    one that several processes met is counted once, and one that is missing is an error.

    Args:
        records_file: Where to write a line of JSON for each sentence (img_path, ref_id, sent_id,
            text, iou in [0, 1], intersection, union, size (height and width that they were counted
            at), no_target, protocol; num_tokens and truncated where known), sorted by image, ref
            and sentence.
        protocol: Where prediction and truth meet.

            - 'bilinear': at the image's own size, prediction as the segmentor gives it.
            - 'remamber': at the image's own size, logits brought there by nearest neighbour, as
              the published program of ReMamber does.
            - 'lavt': at the network's input size, truth brought there by nearest neighbour, as
              LAVT's program does (Yang et al., CVPR 2022).
        threshold: Probability above which a pixel belongs to the object, 0.5 by default; for the
            protocols that start from logits ('remamber', 'lavt').
        min_pixels: A prediction of fewer pixels counts as empty. GRES takes 50 for methods that
            have no other way to say that there is no target.
        collect_device, prefix, collect_dir: As in :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        ValueError: An unknown protocol, a threshold outside (0, 1) or for a protocol that takes
            none, or ``min_pixels`` under 1.
    """

    def __init__(
        self,
        records_file: str | None = None,
        *,
        protocol: str = 'bilinear',
        threshold: float | None = None,
        min_pixels: int = 1,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ):
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if protocol not in PROTOCOLS:
            raise ValueError(f'protocol must be one of {sorted(PROTOCOLS)}, got {protocol!r}')
        if threshold is not None and not PROTOCOLS[protocol].needs_logits:
            raise ValueError(
                f"protocol {protocol!r} takes the segmentor's mask and its threshold, got "
                f'threshold {threshold!r}'
            )
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(f'threshold must be in (0, 1), got {threshold!r}')
        if min_pixels < 1:
            raise ValueError(f'min_pixels must be at least 1, got {min_pixels!r}')
        self.records_file = records_file
        self.protocol = protocol
        self.threshold = 0.5 if threshold is None else threshold
        self.min_pixels = min_pixels
        self._size: int | None = None

    @property
    def description(self) -> str:
        """Protocol, averaging, resolution and resize in words."""
        protocol = PROTOCOLS[self.protocol]
        parts = [
            f'{self.protocol}: {protocol.description}',
            'mIoU averaged over sentences',
            'oIoU of intersection and union summed over sentences',
            f'Pr@X of IoU {">=" if protocol.inclusive else ">"} X',
        ]
        if protocol.needs_logits:
            parts.insert(1, f'threshold {self.threshold}')
        if self.min_pixels > 1:
            parts.append(f'predictions under {self.min_pixels} pixels empty')
        return '; '.join(parts)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep what the metrics need of each sentence.

        Args:
            data_batch: Not used.
            data_samples: Dicts with ``gt_sem_seg`` ((1, h, w) in {0, 1} at the image's own size)
                and ``pred_sem_seg`` (the same) or ``input_logits`` ((1, H, W) float), each under
                ``data``; and ``img_path``, ``ref_id``, ``sent_id``, ``text``. ``no_target``,
                ``ori_shape``, ``num_tokens`` and ``truncated`` are read where they are.

        Raises:
            KeyError: A protocol that starts from logits finds none.
            ValueError: Prediction or truth is not of the image's size, or there is truth in spite
                of ``no_target``.
        """
        for sample in data_samples:
            pred, truth = PROTOCOLS[self.protocol].masks(sample, self.threshold)
            no_target = bool(sample.get('no_target', False))
            if no_target and truth.any():
                raise ValueError(
                    f'{sample["img_path"]}, {sample["text"]!r} has no target, but a truth of '
                    f'{int(truth.sum())} pixels'
                )
            num_pixels = int(pred.sum())
            if num_pixels < self.min_pixels:
                pred, num_pixels = pred.new_zeros(pred.shape), 0
            record = {key: sample[key] for key in (*_KEY, 'text')}
            record.update({key: sample[key] for key in _OPTIONAL if key in sample})
            record.update(
                intersection=int((pred & truth).sum()),
                union=int((pred | truth).sum()),
                size=list(pred.shape[1:]),
                no_target=no_target,
                is_empty=num_pixels == 0,
            )
            self.results.append(record)

    def evaluate(self, size: int) -> dict[str, float | str]:
        """Compute the metrics over all processes.

        Args:
            size: Sentences in the dataset.

        Raises:
            ValueError: No sentence, or not as many different ones as the dataset has.
        """
        self._size = size
        # all that was collected: mmengine would cut at `size`, which is right for its own samplers
        return super().evaluate(sum(all_gather_object(len(self.results))))

    def compute_metrics(self, results: list[dict]) -> dict[str, float | str]:
        """Compute the metrics over the records that ``process`` kept, of all processes.

        Raises:
            ValueError: No record, or (after :meth:`evaluate`) not one of each sentence.
        """
        if not results:
            raise ValueError('RefSegMetric has no sentence to evaluate')
        # a sampler that pads hands some sentences out twice
        unique = {tuple(r[key] for key in _KEY): r for r in results}
        if self._size is not None and len(unique) != self._size:
            raise ValueError(
                f'{len(unique)} different (image, ref, sentence) were evaluated, the dataset has '
                f'{self._size} sentences'
            )
        records = [unique[key] for key in sorted(unique)]
        intersection, union, no_target, is_empty = (
            np.array([r[key] for r in records])
            for key in ('intersection', 'union', 'no_target', 'is_empty')
        )
        iou = np.where(no_target, is_empty, intersection / np.maximum(union, 1))
        if self.records_file is not None:
            self._write_records(Path(self.records_file), records, iou)
        metrics = {}
        target = ~no_target
        if target.any():
            metrics['mIoU'] = iou[target].mean()
        metrics['oIoU'] = intersection.sum() / max(union.sum(), 1)
        if target.any():
            above = np.greater_equal if PROTOCOLS[self.protocol].inclusive else np.greater
            metrics.update({f'Pr@{x}': above(iou[target], x).mean() for x in THRESHOLDS})
        if no_target.any():
            metrics['gIoU'] = iou.mean()
            metrics['N-acc'] = is_empty[no_target].mean()
            if target.any():
                metrics['T-acc'] = (~is_empty[target]).mean()
        counts = dict(num_sentences=len(records))
        if no_target.any():
            counts['num_no_target'] = no_target.sum()
        if all('truncated' in r for r in records):
            counts['num_truncated'] = sum(r['truncated'] for r in records)
        # counts as float, too: mmengine's JSON file has null for an integer
        return (
            {name: 100 * float(value) for name, value in metrics.items()}
            | {name: float(count) for name, count in counts.items()}
            | dict(protocol=self.description)
        )

    def _write_records(self, path: Path, records: list[dict], iou: np.ndarray) -> None:
        fields = (*_KEY, 'text', *_OPTIONAL, 'no_target', 'intersection', 'union', 'size')
        lines = []
        for record, value in zip(records, iou):
            line = {key: record[key] for key in fields if key in record}
            line.update(iou=float(value), protocol=self.protocol)
            lines.append(json.dumps(line, ensure_ascii=False) + '\n')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(''.join(lines), encoding='utf-8')
