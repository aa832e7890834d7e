/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "capture/capture.h"
#include "system/descriptors.h"
#include "pipeline/live.h"
#include "system/message.h"
#include "system/notify.h"
#include "options/options.h"
#include "sinks/line_sink.h"
#include "system/privileges.h"

#include <signal.h>
#include <string.h>

/* Messages and records have descriptors of their own. */
static bool open_standard(bool *no_stdout)
{
	const int error = descriptors_fill(no_stdout);

	message_open();
	if (error)
		message("/dev/null: %s: it stands for descriptors that are "
			"closed",
			strerror(-error));
	return !error;
}

static bool open_output(struct output *output, const struct options *options,
			bool no_stdout)
{
	if (no_stdout && !options->output && !options->check) {
		message("standard output is closed: -o FILE writes the records "
			"to a file");
		return false;
	}
	return !output_open(output, options->format, options->output);
}

static enum exit_code read_captures(struct options *options,
				    struct output *output)
{
	if (capture_open_events(options))
		return EXIT_FAILED;
	if (!privileges_confine_or_tell(ROLE_CAPTURES, options->unconfined))
		return EXIT_ATTACH;
	return capture_run(options, output);
}

/* What comes of a run that came to `code`. */
static enum exit_code close_output(struct output *output, enum exit_code code)
{
	const bool is_complete = output_close(output);

	if (code != EXIT_DONE || output_reader_left(output))
		return code;
	if (output->lost)
		return EXIT_LOST;
	return is_complete ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct options options;
	struct output output;
	enum exit_code code = EXIT_FAILED;
	bool no_stdout;

	if (!open_standard(&no_stdout))
		return EXIT_FAILED;
	options_parse(&options, argc, argv);
	message_libbpf(options.verbose);
	/* A reader that goes is an error of writing. */
	signal(SIGPIPE, SIG_IGN);
	notify_open();
	if (open_output(&output, &options, no_stdout)) {
		code = options.read ? read_captures(&options, &output) :
				      live_run(&options, &output);
		code = close_output(&output, code);
	}
	options_free(&options);
	return code;
}
