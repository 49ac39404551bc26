# One GPU; a step is still of 64 images.
_base_ = './remamber-mamba_vmamba-b_8xb8-50e_refcocog-umd-480x480.py'
optim_wrapper = dict(accumulative_counts=8)
