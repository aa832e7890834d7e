/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "system/descriptors.h"
#include "pipeline/from_captures.h"
#include "pipeline/from_interfaces.h"
#include "pipeline/identifying.h"
#include "system/message.h"
#include "system/notify.h"
#include "options/options.h"
#include "pipeline/keeper_process.h"
#include "sinks/inventory_sink.h"
#include "sinks/line_sink.h"
#include "system/privileges.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct sinks {
	struct line_sink log;
	struct inventory_sink inventory;
};

/*
 * Opens descriptors 0 to 2 where the caller has closed them. Otherwise a log or
 * socket could get their numbers, and messages would be written to it.
 */
static bool open_standard(bool *no_stdout)
{
	const int error = descriptors_fill(no_stdout);

	message_open();
	if (error)
		message("/dev/null: %s: it is needed in place of closed "
			"descriptors",
			strerror(-error));
	return !error;
}

/* Adds the log as a sink; pipeline_open() opens it. */
static bool add_log(struct pipeline *pipeline, struct line_sink *log,
		    const struct options *options, struct file_helper *helper,
		    bool no_stdout)
{
	if (options->no_output)
		return true;
	if (no_stdout && !options->output && !options->check) {
		message("standard output is closed: -o FILE writes the records "
			"to a file");
		return false;
	}
	if (line_sink_prepare(log, options->format, options->output, helper))
		return false;
	log->only_changes = options->log == LOG_CHANGES;
	log->rate.most = options->log_rate;
	pipeline_add(pipeline, &log->sink);
	return true;
}

/* The sinks that the options ask for. */
static bool add_sinks(struct pipeline *pipeline, struct sinks *sinks,
		      const struct options *options, struct file_helper *helper,
		      bool no_stdout)
{
	if (!add_log(pipeline, &sinks->log, options, helper, no_stdout))
		return false;
	if (!options->inventory)
		return true;
	if (!inventory_sink_prepare(&sinks->inventory, options->inventory,
				    !options->read,
				    options->no_output ? NULL : &sinks->log))
		return false;
	sinks->inventory.takes_clients = options->inventory_clients;
	pipeline_add(pipeline, &sinks->inventory.sink);
	return true;
}

/*
 * Reads the rules of --identify. Capabilities are given up first, because this
 * process matches untrusted bytes with untrusted rules.
 */
static bool open_rules(const struct options *options, struct pipeline *pipeline)
{
	if (!options->identify)
		return true;
	if (privileges_keep(ROLE_READ) && !options->unconfined) {
		message("--identify: giving up capabilities failed: "
			"--unconfined runs with them");
		return false;
	}
	return identifying_open(pipeline, options);
}

/* Runs in a process of -j: reads captures for the first process. */
static enum exit_code work(const struct options *options,
			   struct capture_jobs *jobs)
{
	if (captures_open_events(options, true) ||
	    !privileges_confine_or_tell(ROLE_CAPTURES, options->unconfined))
		return EXIT_FAILED;
	captures_work(options, jobs);
	return EXIT_DONE;
}

static enum exit_code run_captures(const struct options *options,
				   struct pipeline *pipeline,
				   struct capture_jobs *jobs)
{
	if (!open_rules(options, pipeline) ||
	    captures_open_events(options, false))
		return EXIT_FAILED;
	if (!privileges_confine_or_tell(ROLE_CAPTURES, options->unconfined))
		return EXIT_ATTACH;
	return captures_run(options, pipeline, jobs);
}

static enum exit_code read_captures(const struct options *options,
				    struct pipeline *pipeline,
				    struct inventory_sink *inventory)
{
	struct keeper_process keeper = KEEPER_PROCESS_NONE;
	const struct identity same = { .uid = geteuid(), .gid = getegid() };
	enum exit_code code = EXIT_FAILED;
	struct capture_jobs jobs;
	int started;

	/* Before signals are this process's alone, and before it is confined.
	 */
	started = capture_jobs_start(&jobs, options);
	if (!started)
		_exit(work(options, &jobs));
	if (started > 0 && (!options->inventory ||
			    keeper_process_start(&keeper, options, &same,
						 inventory) == EXIT_DONE))
		code = run_captures(options, pipeline, &jobs);
	capture_jobs_free(&jobs);
	pipeline_free(pipeline);
	return keeper_process_end(&keeper, code);
}

static enum exit_code run(const struct options *options, bool no_stdout)
{
	struct file_helper helper = FILE_HELPER_NONE;
	struct pipeline pipeline = {};
	struct sinks sinks = {};
	enum exit_code code = EXIT_FAILED;

	if (add_sinks(&pipeline, &sinks, options, &helper, no_stdout))
		code = options->read ?
			       read_captures(options, &pipeline,
					     &sinks.inventory) :
			       interfaces_run(options, &pipeline, &helper,
					      options->inventory ?
						      &sinks.inventory :
						      NULL);
	file_helper_stop(&helper);
	return code;
}

/*
 * These signals wait until the event loop takes them: what rotates logs does
 * not know when a start is over.
 */
static void hold_signals(void)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGUSR1);
	sigprocmask(SIG_BLOCK, &held, NULL);
}

/*
 * Blocks of this size and larger are mapped, so their memory goes back to the
 * kernel when they are freed. Without a limit that is set, glibc raises its own
 * to the size of each mapped block that is freed, and keeps in its heap what is
 * allocated below that size later.
 */
#define MAPPED_BLOCK (128 << 10)

static void keep_heap_small(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, MAPPED_BLOCK);
#endif
}

int main(int argc, char **argv)
{
	struct options options;
	enum exit_code code;
	bool no_stdout;

	keep_heap_small();
	if (!open_standard(&no_stdout))
		return EXIT_FAILED;
	hold_signals();
	options_parse(&options, argc, argv);
	message_libbpf(options.verbose);
	/* Otherwise the kernel would drop the exit codes of other processes. */
	signal(SIGCHLD, SIG_DFL);
	/* A reader that goes is an error of writing. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* so is a limit of file sizes */
	notify_open();
	code = run(&options, no_stdout);
	options_free(&options);
	return code;
}
