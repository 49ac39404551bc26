# Copyright (c) 2026 The mmseg_remamber authors.
# SPDX-License-Identifier: Apache-2.0
"""English words of place: what a sentence becomes when its image is mirrored.

The rule errs on one side: a sentence whose mirrored form is in doubt has none. That costs a flip,
the other error would teach a wrong sentence.
"""

import re

_LETTER = r'[^\W\d_]'
_PLACE = 'top|bottom|upper|lower|middle|mid|centre|center|back|front|rear|far|down'
_SIDE = re.compile(
    rf'(?<!{_LETTER})(?P<before>{_PLACE})?(?P<side>left|right)'
    r'(?P<after>most|hand|handed|hander|side|sided|ward|wards|er|est|ish|y|ies)?'
    rf'(?!{_LETTER})',
    re.IGNORECASE,
)
_OTHER_SIDE = dict(left='right', right='left')
# words with 'left' or 'right' in them that say nothing of a side
_SIDELESS = re.compile(
    r'bright\w*|fright\w*|(up|out|forth|down|birth|copy)right\w*|\w*wright|leftovers?|cleft\w*'
)
# ways of writing left and right that are not swapped: abbreviated or misspelt
_DOUBTFUL_WORD = re.compile(
    r'[lr]|[lr][tfh]|[lr]hs|lft|lef|leff|letf|lfet|elft'
    r'|rgt|rht|rght|rigt|righ|rigth|rihgt|ritht'
)
_DOUBTFUL = re.compile(
    r'\b(?:'
    # right: exactly, or correct
    r'right[\s-]+(?:behind|next|above|below|under\w*|beneath|over|besides?|near|by|at|before|after'
    r'|there|here|now|where|against|across|around|up|down|through|into|between|on|off|outside'
    r'|inside|away|beyond|past|along|way|angles?|side[\s-]up|to the|in[\s-]front|in[\s-]between'
    r'|in[\s-]the[\s-](?:middle|cent\w+))'
    r'|(?:all|just) right'
    # left: remaining, or the verb
    r'|left[\s-]+(?:over|behind|alone|out|open|blank|empty|un\w+)'
    r"|(?:is|are|was|were|been|being|be|has|have|had|what'?s|who|that|none|nothing|not) left"
    # turning, compass, and sides of a vehicle
    r'|\w*clock[\s-]?wise|o\W{0,2}clock|(?:north|south)?[\s-]?(?:east|west)\w*'
    r"|(?:driver'?s?|passenger'?s?|port|starboard)[\s-]+side"
    # writing, which a mirror makes unreadable
    r'|says?|saying|reads?|spells?|spelling|spelled|written|writing|letters?|words?|text|logos?'
    r'|numbers?|numbered|digits?|initials?'
    r')\b'
    r'|["“”]\s*\w'
    r'|(?<!\d)\d+(?!\d*(?:st|nd|rd|th)\b)(?!\d)',  # figures, but for 1st, 2nd, ...
    re.IGNORECASE,
)
_ORDINALS = r'first|second|third|fourth|fifth|sixth|seventh|eighth|last|\d+(?:st|nd|rd|th)'
_ORDINAL = re.compile(rf'\b(?:{_ORDINALS})\b', re.IGNORECASE)
_PLACE_WORD = re.compile(
    rf'\b(?:{_ORDINALS}|(?:{_PLACE})(?:most)?|central|corners?|edges?|sides?|border|half|quarter'
    r'|ends?|furthest|farthest|next|beside)\b',
    re.IGNORECASE,
)


def mirror_sentence(text: str) -> str | None:
    """Write the sentence that is true of the mirrored image where ``text`` is of the image.

    Left and right change places, alone and in compounds (leftmost, right-hand, bottomleft,
    lefty); case is kept. Anything else stays.

    Returns:
        None where either sentence is in doubt: 'right' as exactly or correct ('right behind',
        'right there', 'all right'), 'left' as remaining ('left over', 'is left'), abbreviations
        and slips ('rt', 'lft'), unknown words with left or right in them, counting from a side
        that is not named ('the second man'), turning ('clockwise', "3 o'clock"), compass
        directions, sides of a vehicle, and writing: 'says', 'letter', 'number', quoted words,
        figures other than 1st, 2nd, ...
    """
    if _DOUBTFUL.search(text):
        return None
    for word in re.findall(f'{_LETTER}+', text.lower()):
        if _DOUBTFUL_WORD.fullmatch(word):
            return None
        has_side = 'left' in word or 'right' in word
        if has_side and not _SIDE.fullmatch(word) and not _SIDELESS.fullmatch(word):
            return None
    mirrored = _SIDE.sub(_other_side, text)
    # 'left by the door' would become 'right by the door', which reads otherwise
    if _DOUBTFUL.search(mirrored) or (mirrored == text and _ORDINAL.search(text)):
        return None
    return mirrored


def names_place(text: str) -> bool:
    """Whether the sentence says where in the image something is, or counts along it.

    True in doubt: of every sentence that :func:`mirror_sentence` changes or refuses, too.
    """
    return mirror_sentence(text) != text or bool(_PLACE_WORD.search(text))


def _other_side(match: re.Match) -> str:
    side = match['side']
    other = _OTHER_SIDE[side.lower()]
    if side.isupper():
        other = other.upper()
    elif side[0].isupper():
        other = other.capitalize()
    return f'{match["before"] or ""}{other}{match["after"] or ""}'
