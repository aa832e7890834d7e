/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "reader_process.h"

#include "attach/ring_maps.h"
#include "system/message.h"
#include "system/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn))
become_reader(struct reader_process *reader, int socket,
	      struct reader_needs *needs)
{
	enum exit_code code = EXIT_FAILED;

	/* The attacher's own: the reader must not keep them open. */
	file_helper_take_over(needs->helper);
	process_forget(&reader->owner.process);
	notify_close();
	if (!reader_link_take_over(&reader->link, socket))
		code = reader_run(needs);
	_exit(code);
}

int reader_process_start(struct reader_process *reader,
			 const struct options *options,
			 struct pipeline *pipeline, struct file_helper *helper,
			 const struct identity *identity)
{
	struct reader_needs needs;
	int socket, result;

	if (!owner_process_start(&reader->owner, options, identity))
		return -EPERM;
	needs = (struct reader_needs){
		.options = options,
		.pipeline = pipeline,
		.helper = helper,
		.identity = identity,
		.link = &reader->link,
		.owners = reader->owner.asks,
		.owner_counters = reader->owner.counters,
	};
	result = reader_link_open(&reader->link, &socket);
	if (!result)
		result = process_start(&reader->process, READER_NAME);
	if (!result && !reader->process.pid)
		become_reader(reader, socket, &needs);
	if (result < 0) {
		message("starting the process that reads events: %s",
			strerror(-result));
		return result;
	}
	close(socket);
	owner_process_hand_over(&reader->owner);
	stopping_pass_on(reader->link.stop);
	file_helper_hand_over(helper);
	pipeline_close(pipeline);
	return 0;
}

bool reader_process_begin(struct reader_process *reader,
			  const struct bannerprobe_bpf *bpf)
{
	int maps[RINGS_MAX];
	const unsigned int count = ring_maps(bpf, maps);

	return !reader_link_send_rings(&reader->link, maps, count) &&
	       reader_link_await(&reader->link, WORD_READY);
}

bool reader_process_open(struct reader_process *reader)
{
	reader_link_post(&reader->link, JOB_OPEN);
	return reader_link_await(&reader->link, WORD_OPEN);
}

void reader_process_finish(struct reader_process *reader)
{
	reader_link_post(&reader->link, JOB_LAST);
	reader->last_end = wait_end(WAIT_LAST);
}

enum exit_code reader_process_end(struct reader_process *reader)
{
	const int *status = &reader->process.status;
	enum exit_code own;
	bool has_ended;

	if (!reader->process.pid)
		return owner_process_end(&reader->owner);
	has_ended = process_wait(&reader->process, WAIT_RECORDS,
				 wait_end(WAIT_RECORDS)) ||
		    process_wait(&reader->process, WAIT_LAST, reader->last_end);
	has_ended &= process_end(&reader->process);
	reader_link_close(&reader->link);
	own = owner_process_end(&reader->owner);
	if (!has_ended) {
		message("writing the records has not ended in time: what was "
			"not written is lost");
		return EXIT_LOST;
	}
	if (WIFEXITED(*status) && !WEXITSTATUS(*status))
		return own;
	if (WIFEXITED(*status))
		return (enum exit_code)WEXITSTATUS(*status);
	message("the process that writes the records was killed by signal %d",
		WTERMSIG(*status));
	return EXIT_FAILED;
}
