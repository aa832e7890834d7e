/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A log, plain or compressed by gzip, line by line. */
#ifndef BANNERPROBE_LOGFILE_H
#define BANNERPROBE_LOGFILE_H

#include "logline.h"

#include <zlib.h>

/* A log is known by a digest of its beginning. */
#define LOG_HEAD 4096
#define LOG_DIGEST 32

struct log_file {
	const char *name; /* "-": standard input */
	gzFile file;
	uint64_t read;	  /* bytes, uncompressed, to the end of the last line */
	uint64_t line;	  /* the last line's number */
	const char *text; /* of it, without its end; of `len` bytes */
	size_t len;
	bool ended;    /* by a line feed; the last line may not be */
	bool too_long; /* its end alone is in `text` */
	/* private */
	uint8_t head[LOG_HEAD];
	size_t head_len;
	char *buffer;
	size_t at, filled;
	bool end, failed, quiet;
};

/* False, and a message, where it cannot be read. Close it in any case. */
bool log_file_open(struct log_file *file, const char *name);
void log_file_close(struct log_file *file);

/* Is this the digest of its first `len` bytes? */
bool log_file_begins(const struct log_file *file,
		     const uint8_t digest[LOG_DIGEST], size_t len);
/* Of its first bytes, of the `read` ones. */
void log_file_digest(const struct log_file *file, uint64_t read,
		     uint8_t digest[LOG_DIGEST], size_t *len);

/* Goes on behind so many bytes; false where it has fewer. */
bool log_file_skip(struct log_file *file, uint64_t bytes);
/* The next line; false at the end. */
bool log_file_next(struct log_file *file);
/* Reading came to no good end; a message was given. */
bool log_file_failed(const struct log_file *file);

/* For sorting: the time of its first record. Standard input is read last. */
struct log_order {
	const char *name;
	uint64_t time;
};
struct log_order log_file_order(const char *name, struct log_reader *reader,
				struct log_record *record);

#endif
