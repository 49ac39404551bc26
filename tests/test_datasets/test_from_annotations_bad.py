# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""What cannot be used: all of it is told, with its place, and nothing is dropped silently."""

import json

import annotation_tools as tools
import numpy as np
import pytest
from PIL import Image

from mmseg_remamber.datasets.annotations import (
    Annotations,
    FineTuning,
    Shares,
    Table,
    convert_annotations,
)

TRAINING = FineTuning('remamber-conv_vmamba-mini_1xb48-1200i_refcoco-192x192', None, 2, 3)
HEADER = 'picture,object,sentence,split'


class Case:
    """Four pictures, their objects in COCO's form, and a good table, for tests to spoil."""

    def __init__(self, folder):
        self.folder = folder
        self.photos = tools.make_photos()
        tools.write_pictures(folder / 'pictures', self.photos)
        self.coco = tools.write_coco(folder / 'coco.json', self.photos)
        self.call = tools.coco_number(self.photos)
        self.rows = tools.rows_of(self.photos, self.call)
        self.form, self.path = 'coco', self.coco
        self.table = tools.write_rows(folder / 'table.csv', self.rows)

    def change(self, edit):
        """Edit the content of the COCO file."""
        content = json.loads(self.coco.read_text())
        edit(content)
        self.coco.write_text(json.dumps(content))

    def convert(self, *, skip_bad=False, **options):
        how = {key: options.pop(key) for key in ('exif', 'background') if key in options}
        table = Table(self.table, options.pop('delimiter', None), options.pop('encoding', None))
        return convert_annotations(
            self.folder / 'own',
            self.folder / 'pictures',
            Annotations(self.form, self.path, **how),
            table,
            TRAINING,
            skip_bad=skip_bad,
            **options,
        )

    def problems(self):
        """Convert -> {place: message}, with the folder left out of both; nothing is written."""
        done = self.convert()
        assert done.counts is None
        assert not (self.folder / 'own').exists()
        assert sorted(p.name for p in self.folder.iterdir() if p.name[0] == '.') == []
        here = f'{self.folder}/'
        return {
            problem.place.replace(here, ''): problem.message.replace(here, '')
            for problem in done.report.problems
        }


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def test_every_bad_row_is_listed_with_its_line(case):
    good = case.table.read_text(encoding='utf-8').splitlines()[1:]
    lines = [
        HEADER,
        *good,  # 2 to 25
        'a.png,999,no such object,train',
        'a.png,dog,which dog,train',
        'nowhere.png,100,no such picture,train',
        'a.png,100,,train',
        ',100,no picture,train',
        'a.png,100,dog 0 of picture 0,train',
        'a.png,100,DOG 0  of picture 0,train',
        'a.png,100,one, two, three,train',
        'a.png,100',
        'a.png,100,another split,val',
        'a.png,100,unknown split,training',
        'a.png,"100"x,"half a quote,train',
        'd.png,#4,the fourth of three,train',
        'd.png,,which of them,train',
        '',
    ]
    case.table.write_text('\n'.join(lines), encoding='utf-8')
    problems = case.problems()
    assert problems == {
        'table.csv:26': "no object '999' in this picture; there are 100, 101, 102",
        'table.csv:27': "object 'dog' may be each of 100, 102",
        'table.csv:28': "no picture 'nowhere.png' in pictures",
        'table.csv:29': 'the sentence is empty',
        'table.csv:30': 'the picture is empty',
        'table.csv:31': 'it says what table.csv:2 says of the same object',
        'table.csv:32': 'it says what table.csv:2 says of the same object',
        'table.csv:33': '6 cells, expected 4: a sentence with the delimiter in it needs quotation '
        'marks',
        'table.csv:34': '2 cells, expected 4',
        'table.csv:35': 'a.png is in val, and in train by table.csv:2',
        'table.csv:36': "split must be train, val, test, testA, ..., got 'training'",
        'table.csv:37': "it is no row of CSV: ',' expected after '\"'",
        'table.csv:38': "no object '#4' in this picture; there are 109, 110, 111",
        'table.csv:39': 'no object is named, and there are 109, 110, 111',
    }


def test_what_is_bad_is_left_out_when_asked_and_counted(case):
    with case.table.open('a', encoding='utf-8') as file:
        file.write('a.png,999,no such object,train\na.png,100,,train\n')
    done = case.convert(skip_bad=True)
    assert len(done.report.problems) == 2
    assert tools.read_truth(case.folder / 'own') == tools.truth(case.photos)
    assert done.account[2] == 'sentences: 26 rows = 24 used + 2 that cannot be used'


def test_lines_are_counted_over_sentences_of_several_lines(case):
    lines = [HEADER, 'a.png,100,"one', 'sentence",train', '', 'a.png,1,bad,train']
    case.table.write_text('\r\n'.join(lines), encoding='utf-8')
    problems = case.problems()
    assert 'table.csv:5' in problems
    assert 'table.csv:2' not in problems


def test_a_quotation_mark_that_never_closes_says_how_far_it_reaches(case):
    lines = [HEADER, 'b 1.png,103,fine,val', 'a.png,100,"open,train', 'a.png,101,swallowed,train']
    case.table.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    assert case.problems()['table.csv:3'].endswith('a quotation mark goes on to line 4')


@pytest.mark.parametrize('mark', ['', '\ufeff'])
@pytest.mark.parametrize('end', ['\n', '\r\n'])
@pytest.mark.parametrize('delimiter', [',', ';', '\t'])
def test_tables_as_programs_save_them(case, mark, end, delimiter):
    """Byte order marks, line ends, delimiters; names and sentences with any of them in quotes."""
    case.photos[0].things[0].sentences = ['left, the "big; one"', 'собака слева', 'tab\there']
    rows = [['split', 'Sentence', 'comment', 'OBJECT', 'Picture ']]
    rows += [[s, f'"{t.replace(chr(34), 2 * chr(34))}"', 'x', f' {o} ', f'"{p}"']
             for p, o, t, s in tools.rows_of(case.photos, case.call)]  # fmt: skip
    text = mark + end.join(delimiter.join(row) for row in rows) + end
    case.table.write_bytes(text.encode('utf-8'))
    done = case.convert()
    assert done.report.problems == []
    assert any('columns that are not used: comment' in note for note in done.report.notes)
    assert tools.read_truth(case.folder / 'own') == tools.truth(case.photos)


@pytest.mark.parametrize('encoding', ['utf-16', 'cp1252'])
def test_other_encodings(case, encoding):
    for photo in case.photos:
        photo.things[0].sentences = ['très à gauche']
    rows = [HEADER.split(','), *tools.rows_of(case.photos, case.call)]
    text = '\n'.join(';'.join(map(str, row)) for row in rows)
    case.table.write_bytes(text.encode(encoding))
    if encoding == 'cp1252':
        with pytest.raises(ValueError, match=r'table.csv:2: byte 0xe8 is not utf-8: save .*cp1252'):
            case.convert()
        done = case.convert(encoding='cp1252')
    else:
        done = case.convert()
    assert done.report.problems == []
    assert tools.read_truth(case.folder / 'own') == tools.truth(case.photos)


def test_a_delimiter_of_its_own_and_excels_line_about_it(case):
    rows = [HEADER.split(','), *tools.rows_of(case.photos, case.call)]
    case.table.write_text('\n'.join('|'.join(map(str, row)) for row in rows), encoding='utf-8')
    with pytest.raises(ValueError, match=r'table.csv:1: the first row must name the columns'):
        case.convert()
    assert case.convert(delimiter='|').report.problems == []
    import shutil

    shutil.rmtree(case.folder / 'own')
    lines = ['sep=|', *('|'.join(map(str, row)) for row in rows), 'a.png|1|bad|train']
    case.table.write_text('\n'.join(lines), encoding='utf-8')
    assert list(case.problems()) == ['table.csv:27']


def test_lines_before_the_header(case):
    text = case.table.read_text(encoding='utf-8')
    case.table.write_text(f'\n,,,\n{text}a.png,999,bad,train\n', encoding='utf-8')
    assert list(case.problems()) == ['table.csv:28']


def test_json_lines(case):
    """An object may be a number; U+2028 ends no line."""
    case.photos[0].things[0].sentences = ['one\u2028line', 'zwei "Wörter", ö']
    lines = [
        json.dumps(
            dict(picture=photo, object=called, sentence=sentence, split=split),
            ensure_ascii=number % 2 == 0,
        )
        for number, (photo, called, sentence, split) in enumerate(
            tools.rows_of(case.photos, case.call)
        )
    ]
    case.table = case.folder / 'table.jsonl'
    good = '\ufeff' + '\r\n'.join(lines) + '\r\n'
    bad = [
        '{"picture": "a.png", "object": 100',
        '["a.png"]',
        '{"picture": "a.png", "object": true, "sentence": "s"}',
        '{"picture": "a.png", "object": 1.5, "sentence": "s"}',
        '{"picture": "a.png", "object": 100}',
        '{"picture": "a.png", "object": 100, "sentence": "  "}',
        '{"picture": "a.png", "object": 100, "sentence": "s", "split": 3}',
    ]
    case.table.write_text(good + '\n'.join(bad), encoding='utf-8')
    problems = case.problems()
    first = len(lines) + 1
    assert [int(place.split(':')[1]) for place in problems] == list(range(first, first + len(bad)))
    assert problems[f'table.jsonl:{first + 2}'] == 'object must be text, got True'
    assert problems[f'table.jsonl:{first + 4}'] == 'sentence must be text, got None'
    case.table.write_text(good, encoding='utf-8')
    assert case.convert().report.problems == []
    assert tools.read_truth(case.folder / 'own') == tools.truth(case.photos)


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('t.csv', 'picture,thing,sentence\n', 't.csv:1: the first row must name the columns'),
        ('t.csv', '', 't.csv:1: the first row must name'),
        ('t.csv', 'picture,object,sentence,object\n', 't.csv:1: a column is there twice'),
        ('t.json', '[]', "ends in one of .*'.jsonl'.* got .*t.json"),
        ('gone.csv', None, 'no table of sentences .*gone.csv'),
    ],
)
def test_tables_that_are_none(case, name, text, message):
    case.table = case.folder / name
    if text is not None:
        case.table.write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        case.convert()


def test_pictures_without_a_split_beside_some_that_have_one(case):
    lines = [HEADER, 'a.png,100,one,train', 'b 1.png,103,two,val', 'd.png,109,three,']
    case.table.write_text('\n'.join(lines), encoding='utf-8')
    assert case.problems() == {'table.csv:4': 'd.png has no split, and other pictures have'}


def test_a_split_that_training_needs_is_missing(case):
    case.table.write_text(f'{HEADER}\na.png,100,one,train\nd.png,109,two,test\n')
    with pytest.raises(
        ValueError, match=r"no picture with a sentence is in val; there are \['test"
    ):
        case.convert()


def test_too_few_pictures_to_draw_splits_of(case):
    case.table.write_text('picture,object,sentence\na.png,100,one\n')
    with pytest.raises(ValueError, match='1 different pictures with sentences are too few'):
        case.convert()


@pytest.mark.parametrize(('val', 'test'), [(0, 0.1), (0.6, 0.4), (-0.1, 0), (float('nan'), 0)])
def test_shares_that_make_no_sense(case, val, test):
    case.table.write_text('picture,object,sentence\na.png,100,one\nd.png,109,two\n')
    with pytest.raises(ValueError, match='val must be above 0 and val'):
        case.convert(shares=Shares(val=val, test=test))


def test_the_same_picture_in_two_splits(case):
    pictures = case.folder / 'pictures'
    (pictures / 'b 1.png').write_bytes((pictures / 'a.png').read_bytes())
    case.photos[1].pixels, case.photos[1].things = case.photos[0].pixels, case.photos[0].things
    tools.write_coco(case.coco, case.photos)
    extra = [['d.png', 109, 'more', 'val']]
    rows = [row for row in tools.rows_of(case.photos, case.call) if row[0] != 'd.png']
    tools.write_rows(case.table, rows + extra)
    assert case.problems() == {
        'pictures/b 1.png': 'it is in val, and the same picture as a.png, which is in train'
    }
    done = case.convert(skip_bad=True)
    assert {name for name, *_ in tools.read_truth(case.folder / 'own')} == {
        'a.png', 'd.png', 'sub/ü, x.png'
    }  # fmt: skip
    assert done.account[2] == 'sentences: 19 rows = 13 used + 6 that cannot be used'


def test_one_sentence_of_two_objects_is_told(case):
    with case.table.open('a', encoding='utf-8') as file:
        file.write('a.png,101,thing 0,train\n')
    done = case.convert()
    (note,) = (note for note in done.report.notes if 'said of' in note)
    assert note.startswith("a.png: 'thing 0' is said of 2 objects, and means none of them alone")
    assert note.endswith('table.csv:26')


def test_sentences_that_the_model_cuts_are_told(case):
    with case.table.open('a', encoding='utf-8') as file:
        file.write(f'a.png,101,{"word " * 30},train\n')
    assert any(
        '1 sentences are longer than the 20 tokens' in n for n in case.convert().report.notes
    )


SQUARE = [2, 2, 9, 2, 9, 9, 2, 9]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(segmentation=[[2, 2, 9, 9]]), 'polygon: mask: three points or more expected'),
        (dict(segmentation=[SQUARE, []]), 'polygon: mask: three points or more expected, got 0'),
        (dict(segmentation=[]), 'no mask: mask has no mask'),
        (dict(segmentation=None), 'no mask: mask has no mask'),
        (dict(segmentation='x'), 'no mask: mask has no mask'),
        (dict(segmentation=[[2, 2, 9, 2, 9, 'x']]), 'wrong type'),
        (dict(segmentation=[[2, 2, 9, 2, 9, float('nan')]]), 'polygon outside the image'),
        (dict(segmentation=[[v + 100 for v in SQUARE]]), 'polygon outside the image'),
        (dict(segmentation=[[2, 2, 900, 2, 9, 9]]), 'polygon outside the image'),
        (dict(segmentation=dict(size=[23, 31], counts=[713])), 'empty mask'),
        (dict(segmentation=dict(size=[23, 31], counts=[0, 714])), 'RLE: mask: counts do not fill'),
        (dict(segmentation=dict(size=[23, 31], counts=[10**30, 1])), 'RLE: mask: counts do not'),
        (dict(segmentation=dict(size=[31, 23], counts=[0, 713])), 'RLE of another size'),
        (dict(segmentation=dict(size=[23, 31], counts='PPYo')), 'RLE'),
        (dict(segmentation=[[0.1, 0.1, 0.2, 0.1, 0.2, 0.2]]), 'empty mask'),
        (dict(image_id=77), 'no image has the id 77'),
        (dict(image_id=[1]), 'no image has the id [1]'),
    ],
)
def test_annotations_of_coco_that_cannot_be_used(case, change, message):
    """The annotation is listed, and the rows that name it; other objects are not touched."""
    case.change(lambda content: content['annotations'][0].update(change))
    problems = case.problems()
    assert problems.pop('coco.json, annotation 100').startswith(message)
    assert list(problems) == ['table.csv:2', 'table.csv:3']
    if 'image_id' in change:
        assert problems['table.csv:2'].startswith("no object '100' in this picture")
    else:
        said = 'object 100 has no mask that can be used: coco.json, annotation 100'
        assert problems['table.csv:2'] == said
    done = case.convert(skip_bad=True)
    want = tools.truth(case.photos)
    for sentence in case.photos[0].things[0].sentences:
        thing = case.photos[0].things[0]
        del want['a.png', 'train', sentence, thing.mask.tobytes()]
    assert tools.read_truth(case.folder / 'own') == want
    bad = 0 if 'image_id' in change else 1
    assert done.account[1] == (
        f'objects: {11 + bad} in pictures that can be used = 11 with sentences'
        + (' + 1 whose mask cannot be used' if bad else '')
    )


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(file_name='gone.png'), "no picture 'gone.png' in pictures"),
        (dict(file_name='b 2.png'), "no picture 'b 2.png' in pictures; did you mean b 1.png"),
        (dict(file_name=7), 'file_name is no text: 7'),
        (dict(width=32), 'annotated at 32 x 23 pixels, picture a.png has 31 x 23'),
        (dict(width='31'), "width and height must be whole numbers, got ('31', 23)"),
        (dict(file_name='b 1.png'), 'annotated at 31 x 23 pixels, picture b 1.png has 32 x 25'),
    ],
)
def test_images_of_coco_that_cannot_be_used(case, change, message):
    case.change(lambda content: content['images'][0].update(change))
    assert message in case.problems()['coco.json, image 1']
    assert any(' annotations are on images that' in note for note in case.convert().report.notes)


def test_two_images_of_coco_with_one_picture_or_one_id(case):
    case.change(lambda content: content['images'][2].update(file_name='a.png', width=31, height=23))
    case.change(lambda content: content['images'][3].update(id=1))
    problems = case.problems()
    assert problems['coco.json, image 3'] == 'a.png is the picture of an earlier image'
    assert problems['coco.json, image 1'] == 'the id is that of a.png too'


@pytest.mark.parametrize(
    ('form', 'name', 'text', 'message'),
    [
        ('coco', 'x.json', '{"images": []}', 'x.json is no COCO file: it needs lists'),
        ('coco', 'x.json', '{\n"images": [,]}', 'x.json:2: it is no JSON'),
        ('coco', 'x.json', '[' * 100000, 'x.json: it is nested too deeply'),
        ('coco', 'x.json', b'{"\xff": 1}', 'x.json: it is not UTF-8'),
        ('coco', 'x.zip', 'PK', 'x.zip is a zip file: unpack it'),
        ('coco', 'gone.json', None, 'no file .*gone.json'),
        ('labelme', 'gone', None, 'no JSON file of LabelMe'),
        ('cvat', 'gone.xml', None, 'no file .*gone.xml'),
        ('mask-files', 'gone', None, 'no folder of masks'),
        ('mask-values', 'pictures/sub/../../empty', None, 'no folder of masks'),
        ('cvat', 'x.xml', '<a>\n<b></a>', 'x.xml:2: it is no XML: mismatched tag'),
        ('cvat', 'x.xml', '<dataset/>', 'x.xml is no export of CVAT: its root is <dataset>'),
        (
            'cvat', 'x.xml', '<annotations>\n<track id="0"/>\n</annotations>',
            'x.xml:2: tracks of a video: export as "CVAT for images 1.1"',
        ),
        (
            'cvat', 'x.xml', '<!DOCTYPE a [<!ENTITY b "bb">]>\n<annotations>&b;</annotations>',
            'x.xml:1: it has a DTD; refused',
        ),
        (
            'cvat', 'x.xml', '<!DOCTYPE a SYSTEM "file:///etc/passwd">\n<annotations/>',
            'x.xml:1: it has a DTD; refused',
        ),
        ('cvat', 'x.xml', '<annotations>&b;</annotations>', 'x.xml:1: it is no XML: undefined'),
    ],
)  # fmt: skip
def test_files_that_are_of_no_use_at_all(case, form, name, text, message):
    case.form, case.path = form, case.folder / name
    if text is not None:
        case.path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        case.convert()
    assert not (case.folder / 'own').exists()


LABELME = [
    (dict(shape_type='line', points=[[1, 1], [5, 5]]), 'no area: shape_type must be one of'),
    (dict(shape_type='polygon', points=[[1, 1], [5, 5]]), 'polygon: mask: three points or more'),
    (dict(shape_type='polygon', points=[[1, 1], [5, 5], [50, 5]]), 'polygon outside the image'),
    (dict(shape_type='polygon', points=[[1, 1], [5, 'x'], [5, 5]]), 'a coordinate must be a'),
    (dict(shape_type='polygon', points=[[1, 1, 1]] * 3), 'points must be pairs of numbers'),
    (dict(shape_type='rectangle', points=[[1, 1]]), 'rectangle: two points expected, got 1'),
    (dict(shape_type='rectangle', points=[[40, 1], [50, 5]]), 'polygon outside the image'),
    (dict(shape_type='circle', points=[[5, 5], [5, 5]]), 'ellipse: radii must be above 0'),
    (dict(shape_type='circle', points=[[900, 5], [901, 5]]), 'shape outside the image'),
    (dict(mask='no base 64!'), 'mask: its PNG cannot be used'),
    (dict(mask=tools.png(np.ones((3, 3), bool))[:40]), 'mask: its PNG cannot be used'),
    (dict(mask=None), 'mask must be a PNG in base64, got None'),
    (dict(points=[[1, 1], [3, 3]], mask=tools.png(np.ones((2, 2), bool))), 'mask: its PNG cannot'),
    (dict(points=[[29, 1], [31, 3]], mask=tools.png(np.ones((3, 3), bool))), 'mask outside the'),
    (dict(points=[[1, 1], [3, 3]], mask=tools.png(np.zeros((3, 3), bool))), 'empty mask'),
]


@pytest.mark.parametrize(('change', 'message'), LABELME)
def test_shapes_of_labelme_that_cannot_be_used(case, change, message):
    path = tools.write_labelme(case.folder / 'labelme', case.photos)
    content = json.loads((path / '0.json').read_text())
    content['shapes'][0].update(change)
    (path / '0.json').write_text(json.dumps(content))
    case.form, case.path = 'labelme', path
    tools.write_rows(case.table, tools.rows_of(case.photos, tools.label_numbers(case.photos)))
    problems = case.problems()
    assert message in problems.pop('labelme/0.json, shape 1')
    assert problems == dict.fromkeys(
        ('table.csv:2', 'table.csv:3'),
        'object dog#1 has no mask that can be used: labelme/0.json, shape 1',
    )


def test_files_of_labelme_that_cannot_be_used(case):
    path = tools.write_labelme(case.folder / 'labelme', case.photos)
    (path / '1.json').write_text('{"shapes": [\n}')
    (path / 'other.json').write_text('{"images": []}')
    content = json.loads((path / '2.json').read_text())
    (path / '2 copy.json').write_text(json.dumps(content))
    (path / '3.json').write_text(json.dumps(dict(content, imagePath=None)))
    (path / '4.json').write_text(json.dumps(dict(content, imagePath='x\\d.png', imageWidth=5)))
    case.form, case.path = 'labelme', path
    tools.write_rows(case.table, tools.rows_of(case.photos[:1], tools.label_numbers(case.photos)))
    problems = case.problems()
    assert problems['labelme/1.json:2'] == 'it is no JSON: Expecting value'
    assert problems['labelme/other.json'].startswith('it is no file of LabelMe')
    assert problems['labelme/2.json'].endswith('picture of labelme/2 copy.json too')
    assert problems['labelme/3.json'] == 'imagePath is no text: None'
    assert problems['labelme/4.json'].startswith('annotated at 5 x')


CVAT = [
    ('<polyline label="dog" points="1,1;5,5"/>', 'a polyline has no area'),
    ('<points label="dog" points="1,1;5,5"/>', 'a points has no area'),
    ('<polygon label="dog" points="1,1;5,5"/>', 'polygon: mask: three points or more'),
    ('<polygon label="dog" points="1,1;5,5;5"/>', 'polygon: points must be x,y;x,y'),
    ('<polygon label="dog"/>', 'polygon: mask: three points or more'),
    ('<polygon label="dog" points="1,1;5,5;5,x"/>', "y must be a number, got 'x'"),
    ('<polygon label="dog" points="1,1;5,5;5,nan"/>', "y must be finite, got 'nan'"),
    ('<box label="dog" xtl="1" ytl="1" xbr="4"/>', 'no number: ybr is missing'),
    ('<box label="dog" xtl="100" ytl="1" xbr="104" ybr="5"/>', 'polygon outside the image'),
    (
        '<box label="dog" xtl="100" ytl="1" xbr="104" ybr="5" rotation="10"/>',
        'shape outside the image',
    ),
    ('<ellipse label="dog" cx="5" cy="5" rx="0" ry="3"/>', 'ellipse: radii must be above 0'),
    ('<ellipse label="dog" cx="inf" cy="5" rx="2" ry="3"/>', "cx must be finite, got 'inf'"),
    ('<mask label="dog" rle="1,2" left="0" top="0" width="2" height="2"/>', 'run lengths'),
    ('<mask label="dog" rle="-1,5" left="0" top="0" width="2" height="2"/>', 'run lengths'),
    ('<mask label="dog" rle="a" left="0" top="0" width="2" height="2"/>', 'run lengths'),
    ('<mask label="dog" rle="4" left="0" top="0" width="2" height="2"/>', 'empty mask'),
    ('<mask label="dog" rle="0,4" left="30" top="0" width="2" height="2"/>', 'mask outside'),
    (
        '<mask label="dog" rle="0,1" left="0" top="0" width="99999999" height="99999999"/>',
        'mask outside the image',
    ),
]


@pytest.mark.parametrize(('shape', 'message'), CVAT)
def test_shapes_of_cvat_that_cannot_be_used(case, shape, message):
    shapes = [[tools.cvat_mask(t) for t in photo.things] for photo in case.photos]
    shapes[0][0] = shape
    case.form = 'cvat'
    case.path = tools.write_cvat(case.folder / 'a.xml', case.photos, shapes=shapes)
    tools.write_rows(case.table, tools.rows_of(case.photos, tools.label_numbers(case.photos)))
    problems = case.problems()
    assert message in problems.pop('a.xml:5')
    assert list(problems) == ['table.csv:2', 'table.csv:3']
    assert problems['table.csv:2'] == 'object dog#1 has no mask that can be used: a.xml:5'


def test_tags_of_whole_pictures_are_no_objects(case):
    shapes = [['<tag label="good"/>', *map(tools.cvat_mask, photo.things)] for photo in case.photos]
    case.form = 'cvat'
    case.path = tools.write_cvat(case.folder / 'a.xml', case.photos, shapes=shapes)
    tools.write_rows(case.table, tools.rows_of(case.photos, tools.label_numbers(case.photos)))
    assert case.convert().report.problems == []
    assert tools.read_truth(case.folder / 'own') == tools.truth(case.photos)


def test_mask_files_that_cannot_be_used(case):
    path = tools.write_mask_files(case.folder / 'masks', case.photos)
    grey = np.arange(31 * 23, dtype=np.uint8).reshape(23, 31)
    Image.fromarray(grey).save(path / 'a' / 'soft.png')
    Image.fromarray(np.stack([grey, 255 - grey, grey], -1)).save(path / 'a' / 'coloured.png')
    Image.fromarray(np.zeros((23, 31), np.uint8)).save(path / 'a' / 'empty.png')
    Image.fromarray(np.ones((31, 23), np.uint8)).save(path / 'a' / 'turned.png')
    Image.fromarray(np.ones((23, 31), np.uint8)).save(path / 'nowhere.png')
    data = (path / 'a' / 'dog_0.png').read_bytes()
    (path / 'a' / 'half.png').write_bytes(data[: len(data) // 2])
    (path / 'a' / 'text.png').write_text('no picture')
    case.form, case.path = 'mask-files', path
    call = lambda p, t: f'{case.photos[p].things[t].label}_{t}'  # noqa: E731
    rows = [*tools.rows_of(case.photos, call), ['a.png', 'turned', 'x', 'train']]
    tools.write_rows(case.table, rows)
    problems = case.problems()
    assert problems.pop('masks/a/soft.png').startswith('a mask of one object has 0 and one other')
    assert problems.pop('masks/a/coloured.png').endswith(
        'without transparency, this has colours (RGB)'
    )
    assert problems.pop('masks/a/empty.png').startswith('empty mask')
    assert problems.pop('masks/a/turned.png').startswith('annotated at 23 x 31 pixels, picture a')
    assert problems.pop('masks/nowhere.png').startswith('no picture in pictures is named as its')
    assert problems.pop('masks/a/half.png').startswith('it is damaged')
    assert problems.pop('masks/a/text.png') == "'masks/a/text.png' is not an image"
    assert list(problems) == ['table.csv:26']
    case.convert(skip_bad=True)
    assert tools.read_truth(case.folder / 'own') == tools.truth(case.photos)


def test_a_mask_file_that_may_be_of_two_pictures(case):
    for name in ('x.png', 'x_1.png'):
        Image.fromarray(case.photos[0].pixels).save(case.folder / 'pictures' / name)
    masks = case.folder / 'masks'
    masks.mkdir()
    Image.fromarray(np.ones((23, 31), np.uint8)).save(masks / 'x_1_dog.png')
    case.form, case.path = 'mask-files', masks
    message = case.problems()['masks/x_1_dog.png']
    assert message.startswith('it may be a mask of each of x.png, x_1.png: put the masks')


def test_a_picture_that_is_damaged(case):
    path = case.folder / 'pictures' / 'a.png'
    path.write_bytes(path.read_bytes()[:-200])
    problems = case.problems()
    assert 'could not decode image' in problems.pop('coco.json, image 1')
    assert set(problems.values()) == {'picture a.png or its annotations cannot be used, see above'}
    assert len(problems) == 6
    done = case.convert(skip_bad=True)
    assert done.account[0] == 'pictures: 4 in the folder = 3 with sentences + 1 that cannot be used'


def test_problems_are_told_where_they_leave_too_little(case):
    """Not only that there are too few pictures, which follows from the rows."""
    case.table.write_text('picture,object,sentence\na.png,100,one\nd.png,999,two\n')
    assert case.problems() == {
        'table.csv:3': "no object '999' in this picture; there are 109, 110, 111",
        'splits': '1 different pictures with sentences are too few to draw 1 for val and 0 for '
        'test and to train on others',
    }
    assert case.convert(skip_bad=True).counts is None


def test_a_failure_while_writing_leaves_nothing(case, monkeypatch):
    from mmseg_remamber.datasets.annotations import layout

    monkeypatch.setattr(layout, 'save_refs', lambda refs, path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        case.convert()
    assert sorted(p.name for p in case.folder.iterdir()) == ['coco.json', 'pictures', 'table.csv']


@pytest.mark.parametrize('spoil', ['mask', 'sentence', 'picture', 'ref'])
def test_what_was_written_is_read_again_and_compared(case, monkeypatch, spoil):
    from mmseg_remamber.datasets.annotations import layout

    save = layout.save_refs

    def save_wrongly(refs, path):
        if spoil == 'mask':
            refs[0]['ann_id'], refs[1]['ann_id'] = refs[1]['ann_id'], refs[0]['ann_id']
        if spoil == 'sentence':
            refs[0]['sentences'][0]['sent'] = 'another'
        if spoil == 'picture':
            (path.parents[1] / 'images' / 'a.png').write_bytes(b'nothing')
        save(refs[1:] if spoil == 'ref' else refs, path)

    monkeypatch.setattr(layout, 'save_refs', save_wrongly)
    with pytest.raises(RuntimeError, match='own'):
        case.convert()
    assert not (case.folder / 'own').exists()


def test_folders_that_are_not_written_to(case, tmp_path):
    (tmp_path / 'own').mkdir()
    with pytest.raises(FileExistsError, match='own exists; remove it'):
        case.convert()

    def convert(out):
        annotations = Annotations('coco', case.coco)
        convert_annotations(out, tmp_path / 'pictures', annotations, None, TRAINING)

    with pytest.raises(ValueError, match='lies in the folder of the pictures'):
        convert(tmp_path / 'pictures' / 'own')
    with pytest.raises(ValueError, match='gives the dataset its name, which cannot be'):
        convert(tmp_path / 'images')
