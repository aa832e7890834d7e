/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads a log, plain or compressed by gzip, line by line. */
#ifndef BANNERPROBE_LOGFILE_H
#define BANNERPROBE_LOGFILE_H

#include "logline.h"

#include <zlib.h>

/* Bytes of a log's beginning: their digest identifies the log. */
#define LOG_HEAD 4096
#define LOG_DIGEST 32

struct log_file {
	const char *name; /* "-": standard input */
	gzFile file;
	uint64_t read;	  /* bytes, uncompressed, to the end of the last line */
	uint64_t line;	  /* the last line's number */
	const char *text; /* of the last line, without its end; `len` bytes */
	size_t len;
	bool ended;    /* with a line feed; the log's last line may have none */
	bool too_long; /* `text` is only its end */
	/* private */
	uint8_t head[LOG_HEAD];
	size_t head_len;
	char *buffer;
	size_t at, filled;
	bool end, failed, quiet;
};

/* False, with a message: it cannot be read. Close it in any case. */
bool log_file_open(struct log_file *file, const char *name);
void log_file_close(struct log_file *file);

/* Whether this is the digest of the log's first `len` bytes. */
bool log_file_begins(const struct log_file *file,
		     const uint8_t digest[LOG_DIGEST], size_t len);
/* The digest of the log's beginning, within the first `read` bytes. */
void log_file_digest(const struct log_file *file, uint64_t read,
		     uint8_t digest[LOG_DIGEST], size_t *len);

/* Skips so many bytes; false: the log has fewer. */
bool log_file_skip(struct log_file *file, uint64_t bytes);
/* The next line; false at the end. */
bool log_file_next(struct log_file *file);
/* Whether reading failed; a message was printed. */
bool log_file_failed(const struct log_file *file);

/* For sorting: the time of its first record. Standard input is read last. */
struct log_order {
	const char *name;
	uint64_t time;
};
struct log_order log_file_order(const char *name, struct log_reader *reader,
				struct log_record *record);

#endif
