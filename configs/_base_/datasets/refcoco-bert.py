# BERT's tokens, cut as the programs of LAVT and LGFormer cut them. Without a network give the path
# of bert-base-uncased's vocab.txt as `tokenizer`.
_base_ = './refcoco.py'
tokenize = dict(type='TokenizeText', max_tokens=20, tokenizer='bert-base-uncased', cut='end')
train_pipeline, test_pipeline = (
    [tokenize if step.type == 'TokenizeText' else step for step in steps]
    for steps in (_base_.train_pipeline, _base_.test_pipeline)
)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
