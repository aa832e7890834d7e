/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages of several processes that share standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "system/message.h"

#define WAIT_MS 300 /* less than a message waits, more than it takes */

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Another process holds the claim for ever, or takes it again and again. */
static void test_a_claim_costs_one_wait(void **state)
{
	struct message_shared shared = { .is_claimed = true };
	const int standard_error = dup(STDERR_FILENO);
	long long begun, first, others;
	char text[256] = "";
	int pipe_ends[2];

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	dup2(pipe_ends[1], STDERR_FILENO);
	message_open();
	message_share(&shared);
	begun = now_ms();
	message("one");
	first = now_ms() - begun;
	message("two");
	shared.is_claimed = false;
	message("three");
	assert_false(shared.is_claimed);
	shared.is_claimed = true;
	message("four");
	others = now_ms() - begun - first;
	message_share(NULL);
	dup2(standard_error, STDERR_FILENO);
	assert_true(read(pipe_ends[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "bannerprobe: one\nbannerprobe: two\n"
				  "bannerprobe: three\nbannerprobe: four\n");
	assert_true(first >= WAIT_MS);
	assert_true(others < WAIT_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_claim_costs_one_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
