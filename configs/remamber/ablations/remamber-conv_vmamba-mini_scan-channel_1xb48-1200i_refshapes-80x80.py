_base_ = '../remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
model = dict(backbone=dict(fusion=dict(scans='channel')))
