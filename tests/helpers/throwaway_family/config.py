# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
_base_ = '../../../configs/remamber/remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
custom_imports = dict(imports=['mmseg_remamber.register', 'throwaway_family'])
model = dict(
    text_encoder=dict(width=16, layers=1),
    backbone=dict(
        image=dict(arch=dict(dim=8, depths=(1, 1))),
        fusion=dict(_delete_=True, type='AddSentence'),
        text_dim=16,
    ),
    decode_head=dict(
        _delete_=True,
        type='TwoMapsHead',
        in_channels=[8, 16],
        losses=[dict(type='BinaryDiceLoss'), dict(type='CrossEntropyLoss', use_sigmoid=True)],
        auxiliary_weights=[0.25],
    ),
)
