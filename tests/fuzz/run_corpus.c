// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * In place of libFuzzer, for another compiler than clang: gives each file of
 * the folders that are named to a fuzzer, once. For `make coverage`.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data;
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	data = malloc(INPUT_MAX);
	if (!file || !data) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	/* Of its own size: what reads too far is seen by ASan. */
	data = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	int files = 0;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		const struct dirent *entry;

		while (folder && (entry = readdir(folder)))
			if (entry->d_name[0] != '.')
				files += run_file(argv[i], entry->d_name);
		if (folder)
			closedir(folder);
	}
	printf("%d files\n", files);
	return !files;
}
