# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""Hook of mkdocs: links to files of the repository that are no pages of the site.

On GitHub they lead to the file. The site has no copy of it and names its path instead. A link to
a file that does not exist is a warning, also in README.md and its like, which the site leaves out.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
ELSEWHERE = ('*.md', '.github/**/*.md', 'configs/**/*.md', 'selective_scan/*.md')
LINK = re.compile(r'(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)')
# an image's path is a link too, and what stands between fences or backticks is none
IMAGE = re.compile(r'!\[[^\]]*\]\(([^)\s]+)\)')
CODE = re.compile(r'^(```|~~~).*?^\1|`[^`\n]+`', re.MULTILINE | re.DOTALL)

log = logging.getLogger('mkdocs.hooks.links')


def on_pre_build(config: MkDocsConfig) -> None:
    """Check the Markdown files outside docs/."""
    for pattern in ELSEWHERE:
        for file in sorted(ROOT.glob(pattern)):
            for target in targets(file.read_text(encoding='utf-8')):
                if not (file.parent / target).exists():
                    log.warning('%s: no file %r', file.relative_to(ROOT), target)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the path of a file outside docs/ where a link to it stands."""
    here = Path(page.file.abs_src_path).parent
    docs = Path(config.docs_dir)

    def name(link: re.Match) -> str:
        target = link['target']
        if is_url(target):
            return link[0]
        path = (here / target).resolve()
        if path.is_relative_to(docs):
            return link[0]
        if not path.exists():
            log.warning('%s: no file %r', page.file.src_uri, target)
        shown = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else target
        return link['text'] if shown in link['text'] else f'{link["text"]} (`{shown}`)'

    return LINK.sub(name, markdown)


def targets(markdown: str) -> Iterator[str]:
    """Paths that Markdown links to, relative to its file."""
    prose = CODE.sub('', markdown)
    found = [link['target'] for link in LINK.finditer(prose)] + IMAGE.findall(prose)
    return (target for target in found if not is_url(target))


def is_url(target: str) -> bool:
    return re.match(r'[a-z]+:', target) is not None
