_base_ = './remamber-conv_vmamba-mini_1xb48-1200i_refshapes-80x80.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='ReMamberMambaHead',
        losses=_base_.model.decode_head.losses,
        in_channels=[24, 48, 96, 192],
        text_dim=64,
        num_tokens=20,
        hidden_dim=64,
        # start-of-text is the same for every sentence; the published weights need it, these do not
        sentence_token='end',
    )
)
