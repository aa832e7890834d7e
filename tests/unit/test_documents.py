# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Each path of the tree and each make target that a document names exists; each field of a record has its words, and
each file of the core its place in the map."""

import pathlib
import re
import subprocess
import unittest

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENTS = sorted([*TREE.glob("*.md"), *TREE.glob("docs/*.md"), *TREE.glob("packaging/rules/*.md")])
FOLDERS = ("bpf", "docs", "include", "packaging", "tests", "user")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"(?<![\w/.])(?:{'|'.join(FOLDERS)})/[\w./*+-]*[\w/*]")
# A field's name in the code that writes json.
FIELD = re.compile(r'\\"([a-z_]+)\\":')
# At the start of what is quoted, and of a line of an indented block.
TARGET = re.compile(r"(?:^ {4,}|`)make ([a-z][a-z-]+)\b(?!/)", re.M)


def paths(text):
    return {path.rstrip("/") for code in CODE.findall(text) for path in PATH.findall(code)}


def targets(text):
    return set(TARGET.findall(text))


def make_targets():
    """All that make has a rule for; nothing is built."""
    database = subprocess.run(["make", "--print-data-base", "--question", "no-such-target"],
                              cwd=TREE, text=True, capture_output=True).stdout
    return set(re.findall(r"^([\w./-]+):", database, re.M))


class Documents(unittest.TestCase):
    def test_found(self):
        text = "`user/no/file.c`, `no/user/x` and `make no-target`\n\n    make no-block  # user/x\n"
        self.assertEqual(paths(text), {"user/no/file.c"})
        self.assertEqual(targets(text), {"no-target", "no-block"})

    def test_paths(self):
        for document in DOCUMENTS:
            for path in paths(document.read_text()):
                with self.subTest(document=document.name, path=path):
                    self.assertTrue(any(TREE.glob(path)))

    def test_the_map_has_each_file_of_the_core(self):
        named = (TREE / "docs/ARCHITECTURE.md").read_text()
        self.assertEqual([path.name for path in TREE.glob("include/*.h") if f"`{path.name}`" not in named], [])

    def test_targets(self):
        named = set().union(*(targets(document.read_text()) for document in DOCUMENTS))
        self.assertGreater(len(named), 10)
        self.assertEqual(named - make_targets(), set())

    def test_fields(self):
        manual = set(re.findall(r"\w+", (TREE / "packaging/bannerprobe.8").read_text()))
        fields = set().union(*(FIELD.findall(path.read_text()) for path in TREE.glob("user/sinks/*.c")))
        self.assertGreater(len(fields), 20)
        self.assertEqual(fields - manual, set())


if __name__ == "__main__":
    unittest.main()
