/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads a line of bannerprobe's json log. */
#ifndef BANNERPROBE_LOGLINE_H
#define BANNERPROBE_LOGLINE_H

#include "inventory/observation.h"

#define LOG_LINE_MAX 65536 /* bytes; bannerprobe writes no longer line */
#define LOG_BANNER_MAX 8192

enum log_line {
	LOG_RECORD,
	LOG_OTHER,  /* not for an inventory: a client's event, a change */
	LOG_BROKEN, /* no whole record */
};

struct log_record {
	struct observation seen; /* its pointers point into this struct */
	uint8_t bytes[LOG_BANNER_MAX];
	char sensor[256], tunnel[128];
	char unit[256], container[256], process[256];
};

struct log_reader;

struct log_reader *log_reader_open(void); /* NULL: out of memory */
void log_reader_close(struct log_reader *reader);

/* `len` characters, without the line's end. */
enum log_line log_read(struct log_reader *reader, const char *line, size_t len,
		       struct log_record *record);

#endif
