# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The mask of what a sentence means, from a folder of tools/export.py, without torch and mmseg.

pip install numpy pillow onnxruntime tokenizers
python demo/onnx_client.py EXPORTED IMAGE "the red circle on the left" MASK.png
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from tokenizers import Tokenizer

ORIENTATION = 0x0112  # EXIF's tag, and what turns a picture upright
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def predict(folder: Path, picture: Image.Image, text: str) -> tuple[Image.Image, float]:
    """Mask, 0 or 255, at the picture's own size, and the mean probability inside it."""
    session = onnxruntime.InferenceSession(folder / 'model.onnx')
    metadata = session.get_modelmeta().custom_metadata_map
    size, threshold = json.loads(metadata['size']), json.loads(metadata['threshold'])
    token_ids = Tokenizer.from_file(str(folder / 'tokenizer.json')).encode(text).ids
    rgb = read(picture)
    seen = rgb if size is None else rgb.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    inputs = dict(image=np.asarray(seen)[None], token_ids=np.array([token_ids]))
    (logits,) = session.run(None, inputs)
    own = resize_map(Image.fromarray(logits[0, 0]), rgb.size)
    probability = 1 / (1 + np.exp(-np.asarray(own)))
    mask = probability > threshold
    return Image.fromarray(mask), float(probability[mask].mean()) if mask.any() else 0.0


def read(picture: Image.Image) -> Image.Image:
    """The picture as people see it, in RGB: turned by its EXIF tag, on white, of 8 bits."""
    turn = TURNS.get(picture.getexif().get(ORIENTATION))
    if picture.mode.startswith('I;16'):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert('RGBA')
        picture = Image.alpha_composite(Image.new('RGBA', picture.size, 'white'), picture)
    picture = picture.convert('RGB')
    return picture if turn is None else picture.transpose(turn)


def resize_map(logits: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bring a map bilinearly to (width, height).

    PIL's resize averages where it makes smaller; the model's own, as this, takes the four nearest.
    """
    x, y = logits.width / size[0], logits.height / size[1]
    return logits.transform(
        size, Image.Transform.AFFINE, (x, 0, 0, 0, y, 0), Image.Resampling.BILINEAR
    )


if __name__ == '__main__':
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    mask, score = predict(Path(sys.argv[1]), Image.open(sys.argv[2]), sys.argv[3])
    mask.save(sys.argv[4])
    print(f'{sys.argv[4]}: {np.asarray(mask).mean():.1%} of the picture, score {score:.3f}')
