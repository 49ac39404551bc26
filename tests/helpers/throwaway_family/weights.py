# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
from mmseg_remamber.checkpoints import WeightFamily, register_family


def is_official(keys) -> bool:
    return any(key.startswith('throwaway.') for key in keys)


def from_official(state) -> dict:
    return {key.removeprefix('throwaway.'): value for key, value in state.items()}


def to_official(state) -> dict:
    return {f'throwaway.{key}': value for key, value in state.items()}


register_family(
    WeightFamily(
        name='throwaway',
        is_official=is_official,
        from_official=from_official,
        to_official=to_official,
        advice='a throwaway and must be converted',
    )
)
