#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Checks the tree's structure: structure.py [TREE]

Which folder may include which; no cycle of includes; no function, no line of Python, and no file of
the product, that is too long; no two files of one name; nothing written twice in the product. Prints
a line for each violation. The exit code is 1 where there is one.
"""

import ast
import collections
import os
import pathlib
import re
import sys

FUNCTION_LINES, FILE_LINES, REPEATED_LINES = 60, 500, 6
COLUMNS = 120	# of Python; of C, clang-format sees to it

# What the files of a folder may include beside those of their own folder. "include" is the core.
LOWER = {"include": []}
for folder, below in {
        "bpf": [],
        "user/system": [],
        "user/engine": ["user/system"],
        "user/options": ["user/engine"],
        "user/capture": ["user/options"],
        "user/attach": ["user/options"],
        "user/inventory": ["user/system"],
        "user/owner": ["user/system"],
        "user/identify": ["user/system"],
        "user/libraries": ["user/identify"],
        "user/sinks": ["user/capture", "user/attach", "user/inventory", "user/identify"],
        "user/stats": ["user/sinks"],
        "user/pipeline": ["user/stats", "user/libraries", "user/owner"],
        "user": ["user/pipeline"],
        "user/inventory/command": ["user/inventory", "user/identify"],
}.items():
    LOWER[folder] = sorted({"include", *below, *(one for each in below for one in LOWER[each])})

PRODUCT = ("include", "bpf", "user")
GENERATED = {"vmlinux.h"}
# Not sources: what is built, what tools leave behind, inputs that are named by their hash.
LEFT_OUT = {".git", "build", "__pycache__", ".pytest_cache", "corpus"}
# Names that a convention gives: one in each folder that is described; Debian's.
CONVENTIONAL = {"README.md", "build.mk"}
DEBIAN = "packaging/debian/"


def files_of(tree):
    """Paths of all files, relative to the tree."""
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(names):
            yield (pathlib.Path(folder) / name).relative_to(tree).as_posix()


def is_product(path):
    return path.startswith(PRODUCT) and path.endswith((".c", ".h")) and path not in GENERATED


def folder_of(path):
    """The row of LOWER that a file belongs to: its folder, or the nearest one above."""
    folder = os.path.dirname(path)
    while folder not in LOWER and folder:
        folder = os.path.dirname(folder)
    return folder


# --- includes

def without_comments(text):
    """The same lines, without comments; strings stay."""
    def blank(match):
        word = match[0]
        return "\n" * word.count("\n") if word.startswith("/") else word
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', blank, text, flags=re.S)


def included_by(path, text, known):
    """(line, path) of the tree's files that this one includes."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        for base in os.path.dirname(path), "include", "user", "":
            target = os.path.normpath(os.path.join(base, match[1]))
            if target in known:
                yield number, target
                break


def layers(includes):
    for path, targets in includes.items():
        own = folder_of(path)
        if not own or (own == "user" and os.path.dirname(path) != own):
            yield f"{path}: its folder is not in the table of tests/tools/structure.py"
        for number, target in targets:
            other = folder_of(target)
            if target not in GENERATED and other != own and other not in LOWER.get(own, []):
                yield f"{path}:{number}: {own} may not include {target}"


def cycles(includes):
    """Each cycle of headers once, as its path."""
    done = set()

    def walk(path, way):
        if path in way:
            yield f"{path}: includes itself: {' > '.join([*way[way.index(path):], path])}"
        elif path not in done:
            for _, target in includes.get(path, []):
                yield from walk(target, [*way, path])
            done.add(path)
    for path in includes:
        yield from walk(path, [])


# --- lengths

def functions_of_c(text):
    """(line, lines) of each function, from its first line to its closing brace."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if line != "{":
            continue
        first = start
        while first and lines[first - 1].strip() and not re.search(r"[;}]$|^#", lines[first - 1]):
            first -= 1
        last = next((n for n in range(start, len(lines)) if lines[n].startswith("}")), start)
        yield first + 1, last - first + 1


def functions_of_python(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def lengths(sources):
    for path, text in sources.items():
        is_c = path.endswith((".c", ".h"))
        for number, lines in (functions_of_c if is_c else functions_of_python)(text):
            if lines > FUNCTION_LINES:
                yield f"{path}:{number}: a function of {lines} lines: {FUNCTION_LINES} at most"
        for number, line in enumerate(() if is_c else text.splitlines(), 1):
            if len(line.expandtabs()) > COLUMNS:
                yield f"{path}:{number}: {len(line.expandtabs())} columns: {COLUMNS} at most"
        if is_product(path) and text.count("\n") > FILE_LINES:
            yield f"{path}: {text.count(chr(10))} lines: {FILE_LINES} at most"


# --- names

def names(paths):
    by_name = collections.defaultdict(list)
    for path in paths:
        name = os.path.basename(path)
        if name not in CONVENTIONAL and not path.startswith(DEBIAN):
            by_name[name].append(path)
    for same in by_name.values():
        if len(same) > 1:
            yield f"{same[0]}: has the name of {', '.join(same[1:])}"


# --- what stands twice

def lines_that_count(text):
    """(line, tokens) of the lines that say something: no blank ones, lone braces, includes or enumerators."""
    for number, line in enumerate(text.splitlines(), 1):
        tokens = " ".join(re.findall(r'"(?:\\.|[^"\\])*"|\w+|[^\w\s]', line))
        is_enumerator = re.fullmatch(r"\w+ ,", tokens)	# of queries: like columns, not like code
        if re.search(r"\w", tokens) and not tokens.startswith("# include") and not is_enumerator:
            yield number, tokens


def repeated(sources):
    """Each run of lines that stands a second time: where it begins, and where it began before."""
    seen = {}
    for path, text in sources.items():
        lines = list(lines_that_count(text))
        skip_to = 0
        for i in range(len(lines) - REPEATED_LINES + 1):
            run = tuple(tokens for _, tokens in lines[i:i + REPEATED_LINES])
            before = seen.setdefault(run, (path, lines[i][0]))
            if before != (path, lines[i][0]) and i >= skip_to:
                yield f"{path}:{lines[i][0]}: {REPEATED_LINES} lines or more that are in {before[0]}:{before[1]}"
                skip_to = i + REPEATED_LINES


def is_python(tree, path):
    if path.endswith(".py"):
        return True
    if "." in os.path.basename(path):
        return False
    with open(tree / path, "rb") as file:
        return b"python" in file.readline()


def violations(tree):
    paths = list(files_of(tree))
    sources = {path: (tree / path).read_text() for path in paths if path not in GENERATED
               and (path.endswith((".c", ".h")) or is_python(tree, path))}
    sources = {path: without_comments(text) if path.endswith((".c", ".h")) else text
               for path, text in sources.items()}
    product = {path: text for path, text in sources.items() if is_product(path)}
    includes = {path: list(included_by(path, text, set(paths))) for path, text in product.items()}
    yield from layers(includes)
    yield from cycles(includes)
    yield from lengths(sources)
    yield from names(paths)
    yield from repeated(product)


def main():
    tree = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    if tree.is_file():
        tree = tree.parent.parent.parent
    found = list(violations(tree))
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
