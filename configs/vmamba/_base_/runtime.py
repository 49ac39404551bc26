# What every recipe of VMamba has beside its toolbox's own runtime: the backbone, and this project's
# runner, which reads checkpoints as data, resumes exactly and trains on machines without a GPU.
custom_imports = dict(
    imports=['mmseg_remamber.vmamba', 'mmseg_remamber.engine'], allow_failed_imports=False
)
runner_type = 'RefSegRunner'
