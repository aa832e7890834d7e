# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Texts that a pattern of nmap's file matches, made from the pattern itself."""

import re
import random

try:
    import re._parser as parser		# Python 3.11
except ImportError:
    import sre_parse as parser

MATCH = re.compile(rb"(?:soft)?match \S+ m(.)(.*?)\1([is]*)", re.S)
CATEGORIES = {"DIGIT": b"0123456789", "WORD": b"abcXYZ0189_", "SPACE": b" \t"}
PRINTABLE = range(33, 127)
LONGEST = 3000	# bytes; nmap reads a little more
TRIES = 4


def patterns(path):
    """Those for what a server says first, compiled."""
    is_first = False
    with open(path, "rb") as file:
        for line in file:
            if line.startswith(b"Probe "):
                is_first = line.split()[2] == b"NULL"
            if is_first and (found := MATCH.match(line)):
                flags = re.I * (b"i" in found[3]) | re.S * (b"s" in found[3])
                try:
                    yield re.compile(found[2], flags)
                except re.error:	# what PCRE has and Python has not
                    pass


class Maker:
    """Makes one text."""

    def __init__(self, chance):
        self.chance, self.groups = chance, {}

    def byte_of(self, choices):
        wanted, is_negated = set(), False
        for kind, value in choices:
            kind = str(kind)
            if kind == "NEGATE":
                is_negated = True
            elif kind == "LITERAL":
                wanted.add(value)
            elif kind == "RANGE":
                wanted.update(range(value[0], value[1] + 1))
            elif "_NOT_" in str(value):
                wanted.update(set(PRINTABLE) - set(CATEGORIES[str(value).split("_")[-1]]))
            else:
                wanted.update(CATEGORIES[str(value).split("_")[-1]])
        found = sorted(set(range(256)) - wanted if is_negated else wanted)
        printable = [byte for byte in found if byte in PRINTABLE]
        return bytes([self.chance.choice(printable or found)])

    def text_of(self, parsed):
        return b"".join(self.part(str(kind), value) for kind, value in parsed)

    def part(self, kind, value):
        if kind == "LITERAL":
            return bytes([value])
        if kind == "NOT_LITERAL":
            return self.byte_of([("NEGATE", None), ("LITERAL", value)])
        if kind == "ANY":
            return bytes([self.chance.choice(b"abcxyz0129.")])
        if kind == "IN":
            return self.byte_of(value)
        if kind == "BRANCH":
            return self.text_of(self.chance.choice(value[1]))
        if kind == "SUBPATTERN":
            text = self.groups[value[0]] = self.text_of(value[-1])
            return text
        if kind in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, repeated = value
            times = min(int(most), least + self.chance.choice([0, 1, 2, 5]))
            return b"".join(self.text_of(repeated) for _ in range(times))
        if kind == "GROUPREF":
            return self.groups.get(value, b"")
        return b""	# an assertion takes no bytes


def sample(pattern, chance):
    """A text that it matches, or None: its assertions were not met by chance."""
    parsed = parser.parse(pattern.pattern, pattern.flags & (re.I | re.S))
    for _ in range(TRIES):
        text = Maker(chance).text_of(parsed)
        if text and len(text) <= LONGEST and pattern.search(text):
            return text
    return None


def samples(path, seed):
    """One of each pattern that can be had, without equal ones."""
    chance = random.Random(seed)
    return sorted({sample(pattern, chance) for pattern in patterns(path)} - {None})
