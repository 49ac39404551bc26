_base_ = './vmamba-tiny-s1l8_8xb128-300e_in1k.py'
model = dict(backbone=dict(arch='tiny-s2l5'))
