# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A plugin of pytest, for guests: why a test failed is told at once, since a guest may not come to its end."""


class Teller:
    def __init__(self, writer):
        self.writer = writer

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.writer.line(f"\n--- {report.nodeid}, {report.when}, {report.duration:.0f} s\n{report.longreprtext}")


def pytest_sessionstart(session):
    session.config.pluginmanager.register(Teller(session.config.get_terminal_writer()))
