_base_ = '../remamber-conv_vmamba-b_8xb8-50e_refcoco-256x256.py'
model = dict(backbone=dict(fusion=dict(_delete_=True, type='InContextFusion')))
