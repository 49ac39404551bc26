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


def predict(folder: Path, picture: Image.Image, text: str) -> tuple[Image.Image, float]:
    """Mask, 0 or 255, at the picture's own size, and the mean probability inside it."""
    session = onnxruntime.InferenceSession(folder / 'model.onnx')
    metadata = session.get_modelmeta().custom_metadata_map
    size, threshold = json.loads(metadata['size']), json.loads(metadata['threshold'])
    token_ids = Tokenizer.from_file(str(folder / 'tokenizer.json')).encode(text).ids
    rgb = picture.convert('RGB')
    if size is not None:
        rgb = rgb.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    inputs = dict(image=np.asarray(rgb)[None], token_ids=np.array([token_ids]))
    (logits,) = session.run(None, inputs)
    own = Image.fromarray(logits[0, 0]).resize(picture.size, Image.Resampling.BILINEAR)
    probability = 1 / (1 + np.exp(-np.asarray(own)))
    mask = probability > threshold
    return Image.fromarray(mask), float(probability[mask].mean()) if mask.any() else 0.0


if __name__ == '__main__':
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    mask, score = predict(Path(sys.argv[1]), Image.open(sys.argv[2]), sys.argv[3])
    mask.save(sys.argv[4])
    print(f'{sys.argv[4]}: {np.asarray(mask).mean():.1%} of the picture, score {score:.3f}')
