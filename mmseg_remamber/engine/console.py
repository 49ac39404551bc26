# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What a run says on the screen: what its user needs. The log file has everything."""

import logging

from mmengine.logging import MMLogger

#: Beginnings of messages for the log file alone: first mmengine's account of a run, then its
#: remarks on its own code, which nobody who runs it can act upon.
FILE_ONLY = (
    '\n------------------------------------------------------------\nSystem environment',
    'Config:\n',
    'Hooks will be executed in the following order',
    'Auto-scaled',
    'Exp name: ',
    'The prefix is not set in metric class',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    'Distributed training is not used, all SyncBatchNorm',
    'Did not find last_checkpoint',
    'paramwise_options -- ',
)
#: Ends of others: a line for each parameter that the config freezes.
FILE_ONLY_ENDS = (' is skipped since its requires_grad=False',)


class _Short(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not (message.startswith(FILE_ONLY) or message.endswith(FILE_ONLY_ENDS))


def shorten_console(logger: MMLogger) -> MMLogger:
    """Keep :data:`FILE_ONLY` from the screen. Handlers that write files are left alone."""
    for handler in logger.handlers:
        is_screen = isinstance(handler, logging.StreamHandler)
        if is_screen and not isinstance(handler, logging.FileHandler):
            handler.addFilter(_Short())
    return logger
