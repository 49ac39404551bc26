# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""mmengine's training loops, made to resume exactly.

Whatever is random in training is a function of the seed and of a place: a sample's choices depend
on its epoch and position (:mod:`.keyed_sampling`), an iteration's (dropout, drop path) on its
number and process. A checkpoint therefore needs no state of any generator: the seed and the number
of iterations suffice.
"""

from collections.abc import Sequence

from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from .keyed_sampling import KeyedDataset, KeyedSampler
from .randomness import seed_generators

ITERATIONS = 1  # see keyed_sampling.SAMPLES


class _Resumable:
    """What both loops share; a subclass names it before one of mmengine's loops."""

    def __init__(self, runner: Runner, dataloader: dict, **options):
        super().__init__(runner, _with_keys(dataloader), **options)

    def run(self):
        self._restore()
        return super().run()

    def _restore(self) -> None:
        """Take the seed of the run that is resumed, or note this run's."""
        hub, sampler = self.runner.message_hub, self.dataloader.sampler
        if self._iter > 0:
            sampler.seed = hub.get_info('data_seed', sampler.seed)
            if not self.runner.optim_wrapper.should_update():
                self.runner.logger.warning(
                    f'iteration {self._iter} lies within a gradient accumulation: what was '
                    'accumulated before it is lost'
                )
        hub.update_info('data_seed', sampler.seed)

    def _seed_iteration(self) -> None:
        rank = self.dataloader.sampler.rank
        seed_generators(self.dataloader.sampler.seed, ITERATIONS, self._iter, rank)


@LOOPS.register_module()
class ResumableEpochLoop(_Resumable, EpochBasedTrainLoop):
    """Epoch-based training that also resumes in the middle of an epoch.

    The batches that were used are skipped by the sampler, without loading them.

    Args:
        runner: The runner.
        dataloader: Config of the training data, with a ``sampler`` and no ``batch_sampler``.
        max_epochs, val_begin, val_interval, dynamic_intervals: As in
            :class:`mmengine.runner.EpochBasedTrainLoop`.

    Raises:
        TypeError: ``dataloader`` is no such config.
        ValueError: An epoch has less than a batch; or a checkpoint from the middle of an epoch is
            resumed with another number of iterations an epoch.
    """

    def __init__(self, runner: Runner, dataloader: dict, **options):
        super().__init__(runner, dataloader, **options)
        if not len(self.dataloader):
            raise ValueError(
                f'an epoch has no batch: train_dataloader.batch_size is '
                f'{self.dataloader.batch_size}, with drop_last, and this process has '
                f'{len(self.dataloader.sampler)} of the {len(self.dataloader.dataset)} samples'
            )

    def run_epoch(self) -> None:
        """Iterate over the batches that are left of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        self.dataloader.sampler.skip(done * self.dataloader.batch_size)
        for idx, data_batch in enumerate(self.dataloader, start=done):
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def run_iter(self, idx: int, data_batch: Sequence[dict]) -> None:
        """Seed and run one iteration."""
        self._seed_iteration()
        super().run_iter(idx, data_batch)

    def _restore(self) -> None:
        super()._restore()
        hub, now = self.runner.message_hub, len(self.dataloader)
        saved = hub.get_info('iters_per_epoch', now) if self._iter > 0 else now
        epochs, done = divmod(self._iter, saved)
        if saved != now and done:
            raise ValueError(
                f'the checkpoint was saved after {done} of {saved} iterations of an epoch, which '
                f'now has {now}: resume it with the batch size, number of processes and dataset '
                'that it was saved with, or resume from the end of an epoch'
            )
        if saved != now:  # iterations count epochs of the new length
            self._iter = epochs * now
            self.runner.optim_wrapper.initialize_count_status(
                self.runner.model, self._iter, self._max_iters
            )
        hub.update_info('iters_per_epoch', now)


@LOOPS.register_module()
class ResumableIterLoop(_Resumable, IterBasedTrainLoop):
    """Iteration-based training whose random choices are resumed too.

    A run that is resumed with gradients accumulated over another number of iterations goes on from
    the same update of the weights.

    Args:
        runner: The runner.
        dataloader: Config of the training data, with a ``sampler`` and no ``batch_sampler``.
        max_iters, val_begin, val_interval, dynamic_intervals, fast_forward_on_resume: As in
            :class:`mmengine.runner.IterBasedTrainLoop`.

    Raises:
        TypeError: ``dataloader`` is no such config.
    """

    def run_iter(self, data_batch: Sequence[dict]) -> None:
        """Seed and run one iteration."""
        self._seed_iteration()
        super().run_iter(data_batch)

    def _restore(self) -> None:
        hub, wrapper = self.runner.message_hub, self.runner.optim_wrapper
        now = wrapper._accumulative_counts
        saved = hub.get_info('accumulated', now) if self._iter > 0 else now
        if saved != now:  # iterations count the same updates
            self._iter = self._iter // saved * now
            wrapper.initialize_count_status(self.runner.model, self._iter, self._max_iters)
        hub.update_info('accumulated', now)
        super()._restore()


def _with_keys(dataloader: dict) -> dict:
    """Wrap the sampler and the dataset of a dataloader's config.

    Raises:
        TypeError: It is no config with a sampler, or has a batch sampler.
    """
    if not isinstance(dataloader, dict) or 'sampler' not in dataloader:
        raise TypeError(f'train_dataloader must be a config with a sampler, got {dataloader!r}')
    if dataloader.get('batch_sampler') is not None:
        raise TypeError(
            'train_dataloader has a batch_sampler, whose place in an epoch cannot be resumed'
        )
    return dict(
        dataloader,
        dataset=dict(type=KeyedDataset, dataset=dataloader['dataset']),
        sampler=dict(type=KeyedSampler, sampler=dataloader['sampler']),
    )
