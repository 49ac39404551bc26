# The authors list results "with multi-class Dice loss", whose program is not published: this is our
# reading.
_base_ = './lavt-one_swin-b.py'
model = dict(
    decode_head=dict(losses=[dict(type='TwoClassDiceLoss', loss_name='loss_dice')]),
)
