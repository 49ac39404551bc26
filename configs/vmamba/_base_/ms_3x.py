# Published for 3x: 36 epochs, short sides of 480 to 800 pixels, crops for half of the pictures.
_short_sides = dict(
    type='RandomChoiceResize',
    scales=[(side, 1333) for side in range(480, 801, 32)],
    keep_ratio=True,
)
ms_train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandomChoice',
        transforms=[
            [_short_sides],
            [
                dict(
                    type='RandomChoiceResize',
                    scales=[(side, 1333) for side in (400, 500, 600)],
                    keep_ratio=True,
                ),
                dict(
                    type='RandomCrop',
                    crop_type='absolute_range',
                    crop_size=(384, 600),
                    allow_negative_crop=True,
                ),
                _short_sides,
            ],
        ],
    ),
    dict(type='PackDetInputs'),
]
