# LAVT's `lavt_one`: the same computation with BERT inside the model, which has its dropout.
_base_ = './lavt_swin-b.py'
model = dict(text_encoder=dict(dropout=0.1))
