_base_ = '../remamber-conv_vmamba-mini_1xb16-2800i_refshapes-80x80.py'
model = dict(backbone=dict(fusion=dict(scans='spatial-channel')))
