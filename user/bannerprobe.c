/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "capture.h"
#include "live.h"
#include "message.h"
#include "notify.h"
#include "options.h"
#include "output.h"
#include "privileges.h"

#include <signal.h>

int main(int argc, char **argv)
{
	struct options options;
	struct output output;
	enum exit_code code;

	options_parse(&options, argc, argv);
	message_libbpf(options.verbose);
	/* A reader that goes is an error of writing, told in a line. */
	signal(SIGPIPE, SIG_IGN);
	notify_open();

	if (output_open(&output, options.format, options.output)) {
		options_free(&options);
		return EXIT_FAILED;
	}
	if (options.read) {
		capture_catch_signals(&options);
		privileges_confine(); /* live_run() does when it is attached */
	}
	code = options.read ? capture_run(&options, &output) :
			      live_run(&options, &output);
	if (!output_close(&output) && code == EXIT_DONE)
		code = EXIT_FAILED;
	options_free(&options);
	return code;
}
