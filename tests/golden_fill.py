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
        elif 'embedding' in key:
            x = 0.3 * x
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
