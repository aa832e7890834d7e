/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "logfile.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (2 * LOG_LINE_MAX)

static bool fail(struct log_file *file, const char *why)
{
	if (!file->quiet)
		say("%s: %s", file->name, why);
	file->failed = true;
	return false;
}

/* Reads more bytes into the buffer, behind those that are left; false: end. */
static bool fill(struct log_file *file)
{
	int n;

	if (file->end)
		return false;
	memmove(file->buffer, file->buffer + file->at, file->filled - file->at);
	file->filled -= file->at;
	file->at = 0;
	n = gzread(file->file, file->buffer + file->filled,
		   (unsigned int)(BUFFER - file->filled));
	if (n <= 0) {
		int code;
		const char *why = gzerror(file->file, &code);

		file->end = true;
		if (code == Z_BUF_ERROR)
			return fail(file, "the compressed file ends in the "
					  "middle");
		if (n < 0 && code == Z_ERRNO)
			why = errno == EINTR ? "stopped by a signal; what was "
					       "not read yet is left out" :
					       strerror(errno);
		if (n < 0)
			return fail(file, why);
		return false;
	}
	file->filled += (size_t)n;
	return true;
}

static bool open_file(struct log_file *file, const char *name)
{
	int descriptor;

	file->name = name;
	descriptor = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) :
					 dup(STDIN_FILENO);
	if (descriptor < 0)
		return fail(file, strerror(errno));
	file->file = gzdopen(descriptor, "rb");
	file->buffer = malloc(BUFFER);
	if (!file->file || !file->buffer) {
		if (!file->file)
			close(descriptor);
		return fail(file, "out of memory");
	}
	gzbuffer(file->file, BUFFER);
	while (file->filled < LOG_HEAD && fill(file))
		;
	if (file->failed)
		return false;
	file->head_len = file->filled < LOG_HEAD ? file->filled : LOG_HEAD;
	memcpy(file->head, file->buffer, file->head_len);
	return true;
}

bool log_file_open(struct log_file *file, const char *name)
{
	*file = (struct log_file){};
	return open_file(file, name);
}

void log_file_close(struct log_file *file)
{
	if (file->file)
		gzclose(file->file);
	free(file->buffer);
	*file = (struct log_file){};
}

/* --- which log it is --------------------------------------------------- */

static void digest_of(const uint8_t *bytes, size_t len,
		      uint8_t digest[LOG_DIGEST])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, len, bytes);
	sha256_digest(&context, LOG_DIGEST, digest);
}

bool log_file_begins(const struct log_file *file,
		     const uint8_t digest[LOG_DIGEST], size_t len)
{
	uint8_t own[LOG_DIGEST];

	if (!len || len > file->head_len)
		return false;
	digest_of(file->head, len, own);
	return !memcmp(own, digest, LOG_DIGEST);
}

void log_file_digest(const struct log_file *file, uint64_t read,
		     uint8_t digest[LOG_DIGEST], size_t *len)
{
	const size_t now =
		read < file->head_len ? (size_t)read : file->head_len;

	if (now == *len)
		return;
	*len = now;
	digest_of(file->head, now, digest);
}

/* --- lines ------------------------------------------------------------- */

bool log_file_next(struct log_file *file)
{
	char *end;
	size_t looked = 0;

	file->too_long = false;
	for (;;) {
		char *begin = file->buffer + file->at;
		size_t left = file->filled - file->at;

		end = memchr(begin + looked, '\n', left - looked);
		if (end)
			break;
		looked = left;
		if (left == BUFFER) {
			/*
			 * Longer than any record: only the line's end is kept.
			 */
			file->read += left;
			file->at = file->filled;
			file->too_long = true;
			looked = 0;
		}
		if (!fill(file))
			break;
	}
	file->text = file->buffer + file->at;
	file->ended = end != NULL;
	file->len = end ? (size_t)(end - file->text) : file->filled - file->at;
	if (!file->ended && !file->len && !file->too_long)
		return false;
	file->at += file->len + file->ended;
	file->read += file->len + file->ended;
	file->line++;
	return !file->failed;
}

bool log_file_skip(struct log_file *file, uint64_t bytes)
{
	while (file->read < bytes) {
		if (!log_file_next(file))
			return !file->failed;
	}
	return true;
}

bool log_file_failed(const struct log_file *file)
{
	return file->failed;
}

/* --- their order ------------------------------------------------------- */

#define LOOKED_AT 100 /* lines, for the first record */

struct log_order log_file_order(const char *name, struct log_reader *reader,
				struct log_record *record)
{
	struct log_order order = { name, UINT64_MAX };
	/* A file that cannot be read is reported when its turn comes. */
	struct log_file file = { .quiet = true };
	struct stat status;
	int lines = 0;

	/* Anything but a regular file can be read only once. */
	if (stat(name, &status) || !S_ISREG(status.st_mode))
		return order;
	if (open_file(&file, name)) {
		while (order.time == UINT64_MAX && lines++ < LOOKED_AT &&
		       log_file_next(&file)) {
			if (log_read(reader, file.text, file.len, record) ==
			    LOG_RECORD)
				order.time = record->seen.time;
		}
	}
	log_file_close(&file);
	return order;
}
