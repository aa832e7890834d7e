#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Checks that no layer of the program includes a higher one. Part of `make lint`."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)

# From low to high. Folders of one layer do not include each other.
LAYERS = [
    ["include"],
    ["user/system"],
    ["user/engine"],
    ["user/options"],
    ["user/capture", "user/attach"],
    ["user/sinks"],
    ["user/stats"],
    ["user/pipeline"],
    ["user"],
]
LEVELS = {folder: level for level, folders in enumerate(LAYERS) for folder in folders}
# Below the program: each stands by itself, on user/system alone.
APART = {"user/identify": ["user/system"], "user/inventory": ["user/system"],
         "user/inventory/command": ["user/system", "user/inventory", "user/identify"]}


def sources(folder):
    for name in sorted(os.listdir(os.path.join(ROOT, folder))):
        if name.endswith((".c", ".h")):
            yield f"{folder}/{name}"


def found(including, name):
    """Where the compiler finds it: beside the file, in include, or in user."""
    for folder in os.path.dirname(including), "include", "user":
        path = os.path.normpath(f"{folder}/{name}")
        if os.path.exists(os.path.join(ROOT, path)):
            return path
    return None		# generated: the skeleton


def may_include(folder, other):
    if folder == other:
        return True
    if folder in APART:
        return other in APART[folder] or other == "include"
    return other in LEVELS and LEVELS[other] < LEVELS[folder]


def wrong_includes(folder):
    for path in sources(folder):
        with open(os.path.join(ROOT, path)) as file:
            for name in INCLUDE.findall(file.read()):
                target = found(path, name)
                if target and os.path.dirname(target) and not may_include(folder, os.path.dirname(target)):
                    yield f"{path} includes {target}, which is of a higher layer, or of none below it"


def main():
    wrong = [line for folder in [*LEVELS, *APART] for line in wrong_includes(folder)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
