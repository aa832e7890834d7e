# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Tests in rows, for unittest: each row of a table is a test with a name of its own."""


def rows(table):
    """Marks a method as the test of each row; the row's fields are its arguments."""
    def mark(method):
        method.rows = table
        return method
    return mark


def in_rows(case):
    """A class with marked methods that become tests, one for each row."""
    for name, method in list(vars(case).items()):
        for number, row in enumerate(getattr(method, "rows", [])):
            def test(self, method=method, row=row):
                method(self, *row)
            test.__doc__ = " ".join(map(str, row[0] if isinstance(row[0], (list, tuple)) else row))
            setattr(case, f"{name}_{number}", test)
        if hasattr(method, "rows"):
            delattr(case, name)
    return case
