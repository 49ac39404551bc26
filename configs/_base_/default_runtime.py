custom_imports = dict(imports=['mmseg_remamber.register'], allow_failed_imports=False)
default_scope = 'mmseg'
runner_type = 'RefSegRunner'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='RefSegCheckpointHook', interval=1, max_keep_ckpts=1, save_best='oIoU', rule='greater'
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    finite_loss=dict(type='FiniteLossHook'),
    token_check=dict(type='TokenCheckHook'),
    stop_on_signal=dict(type='StopOnSignalHook'),
    gallery=dict(type='RefSegGalleryHook', num=12),
)
visualizer = dict(type='RefSegVisualizer', vis_backends=[dict(type='LocalVisBackend')])
# batch statistics of all processes: the result does not depend on how a batch is dealt out
sync_bn = 'torch'
# True, or a dict of options of torch.compile
compile = False
randomness = dict(seed=0)
log_processor = dict(by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
