/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * For a container's probes: succeeds where a file was written within so
 * many seconds. bannerprobe writes its metrics every ten seconds from the loop
 * that does all of its work, so that metrics that are older mean that it hangs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int main(int argc, char **argv)
{
	long limit = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	struct stat status;
	time_t age;

	if (limit <= 0) {
		fputs("Usage: bannerprobe-alive FILE SECONDS\n", stderr);
		return 2;
	}
	if (stat(argv[1], &status)) {
		fprintf(stderr, "bannerprobe-alive: %s: %s\n", argv[1],
			strerror(errno));
		return 1;
	}
	age = time(NULL) - status.st_mtime;
	if (age <= limit)
		return 0;
	fprintf(stderr, "bannerprobe-alive: %s was written %lld seconds ago\n",
		argv[1], (long long)age);
	return 1;
}
