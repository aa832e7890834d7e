/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file helper: a process that opens files after the program itself has
 * given up the privileges for that. It does nothing else, and has few system
 * calls. It ends when the process that started it ends in any way. After a fork
 * the child may ask it through the same socket.
 */
#ifndef BANNERPROBE_FILE_HELPER_H
#define BANNERPROBE_FILE_HELPER_H

#include "files.h"
#include "process.h"

#include <stdbool.h>

struct file_helper {
	struct files files;
	struct process process;
	int socket;	     /* to the helper; -1: there is no helper, and files
			      * are opened in this process */
	unsigned int serial; /* of the last request */
	bool busy;	     /* the last request is not answered yet */
};

#define FILE_HELPER_NONE                                                       \
	{                                                                      \
		.files = FILES_NONE, .process = PROCESS_NONE, .socket = -1     \
	}

/*
 * Starts the helper, before privileges are given up. 0 or negative errno, with
 * a message. `unconfined`: a helper that cannot confine itself is accepted.
 */
int file_helper_start(struct file_helper *helper, bool unconfined);

/* Stops the helper. It is killed if it does not end in time. */
void file_helper_stop(struct file_helper *helper);

/*
 * Called after a fork in the parent: the child asks the helper from now on. The
 * parent still has to stop the helper.
 */
void file_helper_hand_over(struct file_helper *helper);

/* Called in the child after its last request. */
void file_helper_take_over(struct file_helper *helper);
void file_helper_leave(struct file_helper *helper);

/*
 * Has the helper do a request: see files_serve(). -ETIMEDOUT: no answer came in
 * time; no other request is served before that answer comes.
 */
int file_helper_ask(struct file_helper *helper, enum file_request request);

/* Whether the answer to a request that returned -ETIMEDOUT is still missing. */
bool file_helper_is_busy(struct file_helper *helper);

#endif
