# One GPU; a step is still of 64 images.
_base_ = './remamber-conv_vmamba-b_8xb8-50e_refcoco+-480x480.py'
optim_wrapper = dict(accumulative_counts=8)
