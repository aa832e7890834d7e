/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A process beside the program that opens its files again, where the program
 * itself may not any more. It does nothing else, can do little else, and ends
 * with the process that started it, however that ended. After a fork another
 * process asks it, by the same socket.
 */
#ifndef BANNERPROBE_FILE_HELPER_H
#define BANNERPROBE_FILE_HELPER_H

#include "files.h"
#include "process.h"

#include <stdbool.h>

struct file_helper {
	struct files files;
	struct process process;
	int socket;	     /* to the process; -1: all is done here */
	unsigned int serial; /* of the last request */
	bool busy;	     /* that one is not answered yet */
};

#define FILE_HELPER_NONE                                                       \
	{                                                                      \
		.files = FILES_NONE, .process = PROCESS_NONE, .socket = -1     \
	}

/*
 * Starts the process, while privileges are there. 0 or negative errno, with a
 * message. `unconfined`: go on also where it cannot be confined.
 */
int file_helper_start(struct file_helper *helper, bool unconfined);

/* Has it end, with time to remove what it would leave; then it is killed. */
void file_helper_stop(struct file_helper *helper);

/*
 * After a fork, here: the other process asks it from now on. It is still to be
 * stopped here.
 */
void file_helper_hand_over(struct file_helper *helper);

/* And there; and when that one has asked the last: it ends. */
void file_helper_take_over(struct file_helper *helper);
void file_helper_leave(struct file_helper *helper);

/*
 * Has something done, as files_serve(). -ETIMEDOUT: it was not answered in
 * time, nor are others until then.
 */
int file_helper_ask(struct file_helper *helper, enum file_request request);

/* Whether an answer is awaited still: of a request that came to -ETIMEDOUT. */
bool file_helper_is_busy(struct file_helper *helper);

#endif
