_base_ = './vmamba-tiny-s1l8_8xb128-300e_in1k.py'
model = dict(backbone=dict(arch='base-s2l15'), head=dict(in_channels=1024))
