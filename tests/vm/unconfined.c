/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Preloaded into a program that QEMU's user mode runs, which knows no seccomp:
 * the program takes its system calls for restricted. For
 * tests/vm/architectures.
 */
int seccomp_load(const void *filter);

int seccomp_load(const void *filter)
{
	(void)filter;
	return 0;
}
