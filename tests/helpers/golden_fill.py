# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Deterministic weights from key names, the same on any machine.

fill.py KEYS.json OUT.pth [--salt S]
"""

import argparse
import json
import zlib

import numpy as np
import torch


def fill(shapes, salt=''):
    """``{key: tensor}`` for ``{key: shape}``; a tensor depends on its key and ``salt`` alone."""
    out = {}
    for key, shape in shapes.items():
        last = key.split('.')[-1]
        if last == 'num_batches_tracked':
            out[key] = torch.zeros(shape, dtype=torch.long)
            continue
        if last == 'relative_position_index':
            w = round(shape[0] ** 0.5)
            y, x = np.divmod(np.arange(w * w), w)
            rows, columns = y[:, None] - y + w - 1, x[:, None] - x + w - 1
            out[key] = torch.from_numpy(rows * (2 * w - 1) + columns)
            continue
        rng = np.random.Generator(np.random.PCG64(zlib.crc32((salt + key).encode())))
        x = rng.standard_normal(tuple(shape), dtype=np.float32)
        if last == 'running_var':
            x = 1 + 0.1 * np.abs(x)
        elif last == 'running_mean':
            x = 0.05 * x
        elif last == 'A_logs':
            x = 0.3 * x
        elif last == 'Ds':
            x = 1 + 0.1 * x
        elif last == 'dt_projs_bias':
            x = -3 + 0.5 * x
        elif last == 'dt_projs_weight':
            x = 0.5 * x * shape[-1] ** -0.5
        elif last == 'x_proj_weight':
            x = x * shape[-1] ** -0.5
        elif len(shape) == 1:
            x = 1 + 0.1 * x if last == 'weight' else 0.05 * x
        # BERT: at full scale, random layers make all words alike
        elif key.endswith('attention.output.dense.weight'):
            x = 0.25 * x * shape[-1] ** -0.5
        # sharp enough to vary over a map
        elif key.endswith(('image_lang_att.f_key.0.weight', 'image_lang_att.key.weight')):
            x = 3 * x * shape[1] ** -0.5
        elif (
            'embedding' in key
            or last in ('level_embed', 'pos_embed')
            or key.endswith('_embed.weight')
        ):
            x = 0.3 * x
        elif 'desam.' in key and len(shape) == 4:
            transposed = '.conv_up.' in key or ('.pre' in key and key.endswith('.0.weight'))
            x = x * shape[0] ** -0.5 if transposed else 1.25 * x * int(np.prod(shape[1:])) ** -0.5
        else:
            x = x * int(np.prod(shape[1:])) ** -0.5
        out[key] = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)).reshape(shape)
    return out


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('keys')
    parser.add_argument('out')
    parser.add_argument('--salt', default='')
    args = parser.parse_args()
    with open(args.keys) as f:
        torch.save({'model': fill(json.load(f), args.salt)}, args.out)
