# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""The mask of what a sentence means, from a folder of tools/export.py, without torch and mmseg.

pip install numpy pillow onnxruntime tokenizers
python demo/onnx_client.py EXPORTED IMAGE "the red circle on the left" MASK.png
"""

import json
import struct
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
# what PIL raises for damaged files
DAMAGE = (OSError, SyntaxError, ValueError, struct.error, LookupError, TypeError, OverflowError)


class Client:
    """An exported model.

    Args:
        folder: of tools/export.py.

    Attributes:
        trained_on: name, pictures and sentences of the training data; None where the checkpoint did
            not record them.

    Raises:
        FileNotFoundError: when the folder lacks model.onnx or tokenizer.json.
    """

    def __init__(self, folder: Path):
        for name in ('model.onnx', 'tokenizer.json'):
            if not (folder / name).is_file():
                raise FileNotFoundError(f'{str(folder)!r} has no {name}: not of tools/export.py')
        self.session = onnxruntime.InferenceSession(folder / 'model.onnx')
        self.tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
        self.num_tokens = {x.name: x.shape[1] for x in self.session.get_inputs()}['token_ids']
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.size, self.threshold, self.trained_on = (
            json.loads(metadata.get(key, 'null')) for key in ('size', 'threshold', 'trained_on')
        )

    def __call__(self, picture: Image.Image, text: str) -> tuple[Image.Image, float]:
        """Mask, 0 or 255, at the picture's own size, and the mean probability inside it.

        Raises:
            ValueError: for a sentence without a word, or a picture that :func:`read` refuses.
        """
        if not text.strip():
            raise ValueError(f'a sentence must have a word, got {text!r}')
        rgb = read(picture)
        size = rgb.size if self.size is None else (self.size[1], self.size[0])
        seen = rgb if size == rgb.size else rgb.resize(size, Image.Resampling.BILINEAR)
        token_ids = self.tokenizer.encode(text).ids[: self.num_tokens]
        inputs = dict(image=np.asarray(seen)[None], token_ids=np.array([token_ids]))
        (logits,) = self.session.run(None, inputs)
        own = resize_map(Image.fromarray(logits[0, 0]), rgb.size)
        probability = 1 / (1 + np.exp(-np.asarray(own)))
        mask = probability > self.threshold
        return Image.fromarray(mask), float(probability[mask].mean()) if mask.any() else 0.0


def read(picture: Image.Image) -> Image.Image:
    """The picture as people see it, in RGB: turned by its EXIF tag, on white, of 8 bits.

    Raises:
        ValueError: for pixels of 32 bits, which have no agreed white, or a damaged file.
    """
    try:
        turn = TURNS.get(picture.getexif().get(ORIENTATION))
    except DAMAGE:
        turn = None
    try:
        picture.load()
        if picture.mode in ('I', 'F'):
            raise ValueError(f'its pixels are of 32 bits (mode {picture.mode!r}), not 8 or 16')
        if picture.mode.startswith('I;16'):
            picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
        if picture.has_transparency_data:
            picture = picture.convert('RGBA')
            picture = Image.alpha_composite(Image.new('RGBA', picture.size, 'white'), picture)
        picture = picture.convert('RGB')
    except DAMAGE as error:
        raise ValueError(f'the picture could not be decoded: {error}') from error
    return picture if turn is None else picture.transpose(turn)


def resize_map(logits: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bring a map bilinearly to (width, height).

    PIL's resize averages where it makes smaller; the model's own, as this, takes the four nearest.
    """
    x, y = logits.width / size[0], logits.height / size[1]
    return logits.transform(
        size, Image.Transform.AFFINE, (x, 0, 0, 0, y, 0), Image.Resampling.BILINEAR
    )


def main() -> None:
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    folder, source, text, out = sys.argv[1:]
    try:
        client = Client(Path(folder))
        origin = client.trained_on or dict(name='not recorded in the export')
        kinds = (origin.get(key) for key in ('name', 'pictures', 'sentences'))
        print('trained on:', '; '.join(filter(None, kinds)), flush=True)
        with Image.open(source) as picture:
            mask, score = client(picture, text)
        mask.save(out)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        sys.exit(f'error: {source}, {text!r}: {error}')
    print(f'{out}: {np.asarray(mask).mean():.1%} of the picture, score {score:.3f}')


if __name__ == '__main__':
    main()
