# What every referring segmentor here has in common.
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=0,
    size_divisor=1,
)
model = dict(type='ReferringSegmentor', data_preprocessor=data_preprocessor)
