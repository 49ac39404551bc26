_base_ = './remamber_vmamba-b.py'
model = dict(
    decode_head=dict(type='ReMamberConvHead', in_channels=[128, 256, 512, 1024], channels=512),
)
