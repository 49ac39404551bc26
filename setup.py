# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Put configs and tools into the wheel. Everything else is in pyproject.toml.

OpenMMLab's packages keep them in ``.mim``, where ``mim`` and the inferencer look for them. An
editable install finds them in the checkout, so that nothing is copied there.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PACKAGE = 'mmseg_remamber'
SHIPPED = ('configs', 'tools', 'model-index.yml')


class BuildWithConfigs(build_py):
    """Build the modules, and ``.mim`` beside them."""

    def run(self) -> None:
        if self.editable_mode:
            super().run()
            return
        # setuptools builds over what an earlier build left, removed files among it
        package = Path(self.build_lib) / PACKAGE
        shutil.rmtree(package, ignore_errors=True)
        super().run()
        for name in SHIPPED:
            copy(Path(name), package / '.mim' / name)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        outputs = super().get_outputs(include_bytecode)
        if self.editable_mode:
            return outputs
        shipped = (Path(self.build_lib) / PACKAGE / '.mim').rglob('*')
        return outputs + [str(path) for path in shipped if path.is_file()]


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__', '*.py[co]'))
    else:
        shutil.copyfile(source, target)


setup(cmdclass={'build_py': BuildWithConfigs})
