# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""structure.py finds what it is there for, and nothing in a tree that keeps to the rules."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))

import structure
from rows import in_rows, rows

SOUND = {
    "include/core.h": "static int core(void)\n{\n\treturn 1;\n}\n",
    "user/system/file.h": '#include "core.h"\n',
    "user/engine/run.c": '#include "core.h"\n#include "system/file.h"\n',
    "user/main.c": '#include "engine/other.h"\n',
    "user/engine/other.h": "",
    "tests/tools/one.py": "def one():\n    return 1\n",
    "build/user/main.c": '#include "../nothing.h"\n',
}
SIX = "".join(f"int {letter} = {letter}({letter});\n\n" for letter in "abcdef")


def lines(count):
    return "".join(f"\tcall_{n}();\n" for n in range(count))


@in_rows
class Structure(unittest.TestCase):
    def found(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**SOUND, **files}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(structure.violations(pathlib.Path(folder)))

    def test_nothing(self):
        self.assertEqual(self.found({}), [])

    @rows([
        ("upwards", {"user/system/up.c": '#include "engine/other.h"\n'},
         "user/system/up.c:1: user/system may not include user/engine/other.h"),
        ("sideways", {"user/capture/a.c": '#include "attach/b.h"\n', "user/attach/b.h": ""},
         "user/capture/a.c:1: user/capture may not include user/attach/b.h"),
        ("out of the core", {"include/up.h": '\n#include "../user/system/file.h"\n'},
         "include/up.h:2: include may not include user/system/file.h"),
        ("an inventory that looks at the engine", {"user/inventory/x.c": '#include "engine/other.h"\n'},
         "user/inventory/x.c:1: user/inventory may not include user/engine/other.h"),
        ("a cycle", {"include/p.h": '#include "q.h"\n', "include/q.h": '#include "p.h"\n'},
         "include/p.h: includes itself: include/p.h > include/q.h > include/p.h"),
        ("a folder without a row", {"user/new/y.c": ""},
         "user/new/y.c: its folder is not in the table of tests/tools/structure.py"),
        ("a long function", {"user/long.c": "int f(void)\n{\n" + lines(58) + "}\n"},
         "user/long.c:1: a function of 61 lines: 60 at most"),
        ("a long function of Python", {"tests/tools/two.py": "def f():\n" + "    f()\n" * 60},
         "tests/tools/two.py:1: a function of 61 lines: 60 at most"),
        ("a long line of Python", {"tests/tools/two.py": "\t# " + "x" * 111 + "\n"},
         "tests/tools/two.py:1: 121 columns: 120 at most"),
        ("a long file", {"user/big.h": "\n" * 501}, "user/big.h: 501 lines: 500 at most"),
        ("a name twice", {"tests/unit/file.h": ""}, "tests/unit/file.h: has the name of user/system/file.h"),
        ("six lines twice", {"user/r.c": "int x;\n" + SIX, "user/s.c": SIX.replace(" ", "\t", 1)},
         "user/s.c:1: 6 lines or more that are in user/r.c:2"),
    ])
    def test_violation(self, _, files, expected):
        self.assertEqual(self.found(files), [expected])

    @rows([
        ("120 columns", {"tests/tools/two.py": "\t# " + "x" * 110 + "\n"}),
        ("sixty lines", {"user/long.c": "int f(void)\n{\n" + lines(57) + "}\n"}),
        ("five lines twice", {"user/r.c": SIX[:SIX.index("int f")], "user/s.c": SIX[:SIX.index("int f")]}),
        ("in a comment", {"user/system/c.c": '/*\n#include "engine/other.h"\n*/\n'}),
        ("a long file of tests", {"tests/unit/big.c": "\n" * 501}),
    ])
    def test_none(self, _, files):
        self.assertEqual(self.found(files), [])


if __name__ == "__main__":
    unittest.main()
