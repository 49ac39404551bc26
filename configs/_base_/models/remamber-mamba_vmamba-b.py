_base_ = './remamber_vmamba-b.py'
model = dict(
    decode_head=dict(
        type='ReMamberMambaHead',
        in_channels=[128, 256, 512, 1024],
        text_dim=768,
        num_tokens=20,
        sentence_token='first',
    ),
)
