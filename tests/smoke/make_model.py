# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""For wheel.sh: a picture, and a model of random weights, made from what the wheel holds alone.

python make_model.py OUT
"""

import sys
from pathlib import Path

import torch
from PIL import Image, ImageDraw

import mmseg_remamber
from mmseg_remamber.apis import init_model
from mmseg_remamber.configuration import find_config

NAME = 'remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80'


def main(out: Path) -> None:
    out.mkdir()
    config = find_config(NAME)
    installed = Path(mmseg_remamber.__file__).parent
    assert config.is_relative_to(installed / '.mim'), config
    assert 'site-packages' in config.parts, config
    torch.manual_seed(0)
    torch.save(init_model(str(config), device='cpu').state_dict(), out / 'weights.pth')
    picture = Image.new('RGB', (120, 80), 'white')
    ImageDraw.Draw(picture).ellipse((10, 20, 50, 60), fill='red')
    picture.save(out / 'picture.png')
    (out / 'name.txt').write_text(f'{NAME}\n')


if __name__ == '__main__':
    main(Path(sys.argv[1]))
