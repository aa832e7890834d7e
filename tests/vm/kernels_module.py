# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""tests/vm/kernels as a module: it fetches kernels, and packs programs for a guest."""

import importlib.machinery
import importlib.util
import pathlib


def load_kernels():
    path = pathlib.Path(__file__).resolve().parent / "kernels"
    loader = importlib.machinery.SourceFileLoader("kernels", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
