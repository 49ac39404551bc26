# widths that bring the model to the size of the Twister's
_base_ = '../remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
model = dict(backbone=dict(fusion=dict(_delete_=True, type='NormFusion', depth=1, mlp_ratio=4.375)))
