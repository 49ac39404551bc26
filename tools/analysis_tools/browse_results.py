# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Makes a page of results by sentence: worst, best, by length, by size of the object, by word.

    python tools/test.py CONFIG CHECKPOINT \\
        --cfg-options test_evaluator.records_file=records.jsonl
    python tools/analysis_tools/browse_results.py CONFIG CHECKPOINT records.jsonl results

writes results/index.html, which opens without a server, the pictures beside it, and
results/groups.json, the figures of each group. The test set must be that of the records.
"""

import argparse
import json
import sys
from pathlib import Path

from mmengine.dataset import BaseDataset
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_remamber.analysis.results import groups_of, read_records, tabulate
from mmseg_remamber.analysis.samples import predict_sample, spread
from mmseg_remamber.apis import init_model
from mmseg_remamber.cli.arguments import add_model_arguments
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.datasets.transforms import LoadRefMask
from mmseg_remamber.visualization import greyed, paint_errors, to_prediction
from mmseg_remamber.visualization.palette import (
    FOUND_COLOUR,
    MISSED_COLOUR,
    WRONG_COLOUR,
    to_css,
)

TEMPLATE = Path(__file__).with_name('results_page.html')
KEY = ('img_path', 'ref_id', 'sent_id')
NEEDED = (*KEY, 'text', 'iou', 'intersection', 'union', 'protocol', 'no_target')
COLOURS = {'@FOUND@': FOUND_COLOUR, '@MISSED@': MISSED_COLOUR, '@WRONG@': WRONG_COLOUR}
SIDES = (256, 640)  # pixels of a picture's longer side, at least and at most


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_model_arguments(parser)
    parser.add_argument('records', help='records_file of RefSegMetric')
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument(
        '--num', type=int, default=300,
        help='pictures: a third of the worst, a third of the best, the rest in between',
    )  # fmt: skip
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def choose(ious: list[float], num: int) -> list[int]:
    """Choose the samples that get a picture: worst, best, and evenly between -> their indices."""
    order = sorted(range(len(ious)), key=ious.__getitem__)
    if num >= len(order):
        return order
    third = num // 3
    middle = order[third : len(order) - third]
    return (
        order[:third]
        + [middle[i] for i in spread(len(middle), num - 2 * third)]
        + order[len(order) - third :]
    )


def object_share(dataset: BaseDataset, index: int) -> float:
    """Measure the object's share of the image, in [0, 1]."""
    return float(LoadRefMask().transform(dataset.get_data_info(index))['gt_seg_map'].mean())


def fit(picture: Image.Image) -> Image.Image:
    """Resize a picture to within ``SIDES``; a small one is magnified by a whole number."""
    least, most = SIDES
    factor = -(-least // max(picture.size))
    if factor > 1:
        return picture.resize([factor * side for side in picture.size], Image.Resampling.NEAREST)
    picture = picture.copy()
    picture.thumbnail((most, most))
    return picture


def main() -> None:
    args = parse_args()
    records = read_records(args.records)
    for number, record in enumerate(records, start=1):
        lacking = [name for name in NEEDED if name not in record]
        if lacking:
            sys.exit(
                f'{args.records}, line {number} is no record of RefSegMetric: it lacks {lacking}'
            )
    model = init_model(args.config, args.checkpoint, args.device, args.cfg_options)
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    index_of = {tuple(info[key] for key in KEY): i for i, info in enumerate(infos)}
    indices = [index_of.get(tuple(record[key] for key in KEY)) for record in records]
    if None in indices:
        sys.exit(
            f'{args.records} has sentences that the test set of the config does not have, among '
            f'them {records[indices.index(None)]["text"]!r}: give the same --cfg-options'
        )
    shares = [object_share(dataset, index) for index in indices]
    groups = [groups_of(record['text'], share) for record, share in zip(records, shares)]
    table = tabulate(records, groups)
    number_of = {(row['kind'], row['group']): i for i, row in enumerate(table)}

    pictures = {}
    (args.out / 'pictures').mkdir(parents=True, exist_ok=True)
    for i in choose([record['iou'] for record in records], args.num):
        item = to_prediction(predict_sample(model, dataset, indices[i]))
        comparable = records[i]['protocol'] == 'bilinear' and not records[i]['no_target']
        if comparable and abs(item.iou - records[i]['iou']) > 0.05:
            sys.exit(
                f'{args.records} was not made by this checkpoint: of {item.text!r} it says IoU '
                f'{records[i]["iou"]:.3f}, the model gives {item.iou:.3f}'
            )
        errors = paint_errors(greyed(item.image), item.truth, item.prediction)
        pictures[i] = f'pictures/{i:06d}.png'
        fit(Image.fromarray(errors)).save(args.out / pictures[i])

    data = dict(
        title=f'{Path(args.config).stem}: {len(records)} sentences',
        groups=table,
        records=[
            dict(
                text=record['text'],
                iou=record['iou'],
                share=shares[i],
                image=Path(record['img_path']).name,
                ref_id=record['ref_id'],
                sent_id=record['sent_id'],
                groups=[number_of[group] for group in groups[i]],
                picture=pictures.get(i),
            )
            for i, record in enumerate(records)
        ],
    )
    # nothing of the data may end the script element
    text = json.dumps(data, ensure_ascii=False).replace('<', '\\u003c')
    page = TEMPLATE.read_text(encoding='utf-8')
    for name, colour in COLOURS.items():
        page = page.replace(name, to_css(colour))
    page = page.replace('@DATA@', text)
    (args.out / 'index.html').write_text(page, encoding='utf-8')
    (args.out / 'groups.json').write_text(json.dumps(table, indent=2) + '\n')
    print(f'{args.out / "index.html"}: {len(records)} sentences, {len(pictures)} pictures')


if __name__ == '__main__':
    with errors_as_messages():
        main()
