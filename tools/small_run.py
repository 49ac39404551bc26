# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Train, evaluate and show a small VMamba in mmdet, mmsegmentation or mmpretrain, on a CPU.

    python tools/small_run.py detection --out runs/detection
    python tools/small_run.py detection --out runs/photographs --refer ROOT DATASET SPLIT_BY IMG_DIR

The task is detection, segmentation or classification. The data are RefShapes, or with --refer
photographs in the REFER layout, of which the training split is fitted: of a few dozens nothing else
is learnt. Writes into OUT: data/ (as the toolboxes read it), the config, work/ (log and
checkpoint), metrics.json, gallery.png and curves.png.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from mmseg_remamber.checkpoints import latest_checkpoint
from mmseg_remamber.cli.errors import errors_as_messages
from mmseg_remamber.cli.steps import Steps
from mmseg_remamber.configuration import load_config

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'configs' / 'vmamba'
SIZE = 128  # pixels of a scene's side


class Task(NamedTuple):
    """What is run, which curves show it, and how many samples its picture has."""

    shapes: str
    photographs: str
    curves: tuple[str, ...]
    shown: int


TASKS = {
    'classification': Task(
        'vmamba-mini_1xb64-6e_shapes-48x48.py',
        'vmamba-mini_1xb64-60e_photographs-64x64.py',
        ('loss', 'accuracy/top1'),
        12,
    ),
    'detection': Task(
        'mask-rcnn_vmamba-mini_fpn_1xb8-4e_shapes-128x128.py',
        'mask-rcnn_vmamba-mini_fpn_1xb8-150e_photographs-256x256.py',
        ('loss', 'coco/bbox_mAP_50', 'coco/segm_mAP_50'),
        9,
    ),
    'segmentation': Task(
        'upernet_vmamba-mini_1xb16-1000i_shapes-128x128.py',
        'upernet_vmamba-mini_1xb8-1000i_photographs-160x160.py',
        ('loss', 'mIoU'),
        9,
    ),
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('task', choices=sorted(TASKS))
    parser.add_argument('--out', type=Path, required=True, help='folder for everything it makes')
    parser.add_argument(
        '--refer', nargs=4, metavar=('ROOT', 'DATASET', 'SPLIT_BY', 'IMG_DIR'),
        help='photographs in the REFER layout',
    )  # fmt: skip
    parser.add_argument(
        '--imports', nargs='+', default=[], metavar='MODULE',
        help='what the runs import first, such as a library of yours',
    )  # fmt: skip
    parser.add_argument('--scenes', type=int, default=2000, help='training scenes')
    parser.add_argument('--val-scenes', type=int, default=200)
    parser.add_argument('--length', type=int, help="epochs or iterations; default: the config's")
    return parser.parse_args()


def write_data(steps: Steps, args: argparse.Namespace, data: Path) -> None:
    """Write RefShapes, or photographs, as the toolboxes read them."""
    if data.is_dir():
        print(f'{data} is there already')
        return
    if args.refer:
        source, dataset, split_by, img_dir = args.refer
    else:
        source, dataset, split_by, img_dir = (
            args.out / 'refshapes',
            'refshapes',
            'synthetic',
            'images',
        )
        sizes = [f'--train={args.scenes}', f'--val={args.val_scenes}', '--test=1', '--testC=1']
        steps.call(
            'dataset_converters/refshapes.py', source, f'--size={SIZE}', '--max-objects=4', *sizes
        )
    steps.call(
        'dataset_converters/toolboxes.py', Path(source).resolve(), dataset, split_by, data,
        f'--img-dir={img_dir}',
    )  # fmt: skip


def fit_classes(cfg: Config, task: str, classes: list[str]) -> None:
    """Make heads and datasets fit the classes of the data, in place."""
    if task == 'classification':  # whose dataset reads them from its folders
        cfg.model.head.num_classes = cfg.data_preprocessor.num_classes = len(classes)
        return
    if task == 'detection':
        for head in (cfg.model.roi_head.bbox_head, cfg.model.roi_head.mask_head):
            head.num_classes = len(classes)
    else:
        classes = ['background', *classes]
        for head in (cfg.model.decode_head, cfg.model.auxiliary_head):
            head.num_classes = len(classes)
    for mode in ('train', 'val', 'test'):
        cfg[f'{mode}_dataloader'].dataset.metainfo = dict(classes=classes)


def write_config(args: argparse.Namespace, data: Path) -> Path:
    """Write the config of the run, under its name."""
    task = TASKS[args.task]
    name = task.photographs if args.refer else task.shapes
    cfg = load_config(CONFIGS / args.task / name)
    fit_classes(cfg, args.task, (data / 'classes.txt').read_text(encoding='utf-8').splitlines())
    for mode in ('train', 'val', 'test'):
        cfg[f'{mode}_dataloader'].dataset.data_root = f'{data}/'
    if args.task == 'detection':
        for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
            evaluator.ann_file = str(data / Path(evaluator.ann_file).name)
    if args.length:
        cfg.default_hooks.logger.interval = min(cfg.default_hooks.logger.interval, args.length)
        cfg.train_cfg['max_iters' if 'max_iters' in cfg.train_cfg else 'max_epochs'] = args.length
    cfg.custom_imports.imports = [*args.imports, *cfg.custom_imports.imports]
    for key in ('train_pipeline', 'test_pipeline'):  # the datasets have them
        cfg.pop(key)
    cfg.dump(args.out / name)
    return args.out / name


def options_of(task: str, data: Path, split: str) -> list[str]:
    """The --cfg-options that test on a split."""
    dataset = 'test_dataloader.dataset.'
    if task == 'classification':
        return [f'{dataset}data_prefix=cutouts/{split}']
    if task == 'segmentation':
        return [
            f'{dataset}data_prefix.img_path=images/{split}',
            f'{dataset}data_prefix.seg_map_path=semantic/{split}',
        ]
    return [
        f'{dataset}ann_file=instances_{split}.json',
        f'{dataset}data_prefix.img=images/{split}/',
        f'test_evaluator.ann_file={data / f"instances_{split}.json"}',
    ]


def main() -> None:
    args = parse_args()
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    data, work = args.out / 'data', args.out / 'work'
    steps = Steps(ROOT, total=4)

    steps.begin('Write the data as the toolbox reads it', 'about half a minute')
    write_data(steps, args, data)
    config = write_config(args, data)

    steps.begin(f'Train for {args.task} from random weights', 'under half an hour on 2 cores')
    seconds = steps.call('train.py', config, f'--work-dir={work}')
    checkpoint = latest_checkpoint(work)

    steps.begin("Evaluate with the toolbox's own metric", 'about a minute')
    splits = ('train', 'val') if args.refer else ('val',)
    metrics = {}
    for split in splits:
        file = work / f'metrics_{split}.json'
        steps.call(
            'test.py', config, checkpoint, f'--work-dir={work}', f'--metrics-out={file}',
            '--cfg-options', *options_of(args.task, data, split),
        )  # fmt: skip
        metrics[split] = json.loads(file.read_text())
    metrics['training_seconds'] = round(seconds, 1)
    (args.out / 'metrics.json').write_text(json.dumps(metrics, indent=2) + '\n')

    steps.begin('Draw what it finds, and its curves', 'about a minute')
    steps.call(
        'analysis_tools/gallery.py', config, checkpoint, args.out / 'gallery.png',
        f'--num={TASKS[args.task].shown}',
        '--cfg-options', *options_of(args.task, data, splits[0]),
    )  # fmt: skip
    steps.call(
        'analysis_tools/plot_curves.py', work, f'--names={config.stem}', '--keys',
        *TASKS[args.task].curves, f'--out={args.out / "curves.png"}',
    )  # fmt: skip
    print(f'\n== Done in {seconds / 60:.1f} minutes of training')
    for split in splits:
        shown = {key: metrics[split][key] for key in TASKS[args.task].curves[1:]}
        print(f'  {split:6}', ', '.join(f'{key} {value:.3g}' for key, value in shown.items()))
    print(f'  pictures {args.out / "gallery.png"}, curves {args.out / "curves.png"}')


if __name__ == '__main__':
    with errors_as_messages():
        main()
