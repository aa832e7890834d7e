/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What --identify costs: the start of a process, a banner that was never seen,
 * and one that was; by the project's rules, and with nmap's.
 *
 *   bench_identify PROGRAM RULES CAPTURE [PROBES]
 */
#include "identify/identify.h"
#include "identify/rulefile.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTS 21
#define TEXTS_MAX 4096
#define AGAIN 200 /* rounds of banners that were seen before */
#define CHANGED_PORT 1

static struct text texts[TEXTS_MAX];
static size_t count;

/* Of the processor: others may run, too. */
static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "bench_identify: %s\n", what);
	exit(1);
}

/* --- the greetings: the rules' examples --------------------------------- */

static void keep(const struct example *example, void *context)
{
	uint8_t *bytes = malloc(example->text.len + 1);

	(void)context;
	require(bytes && count < TEXTS_MAX, "no room for the greetings");
	memcpy(bytes, example->text.bytes, example->text.len);
	texts[count++] = (struct text){ bytes, example->text.len, true };
}

static int keep_of(const char *path, void *context)
{
	struct rule_source *source = NULL;
	int error = rule_source_read(&source, path);

	if (!error)
		error = rulefile_load(source, context, keep, NULL);
	rule_source_free(source);
	return error;
}

static void read_greetings(const char *rules)
{
	struct matcher matcher;
	struct ruleset set;

	require(!matcher_open(&matcher, tell) && !ruleset_open(&set, &matcher),
		"out of memory");
	require(!rule_source_each(rules, ".rules", keep_of, &set) && count,
		"no rules with examples are there");
	ruleset_close(&set);
	matcher_close(&matcher);
}

/* --- a banner ------------------------------------------------------------ */

/* Each once; the port is a part of what is remembered. */
static double ask_all(struct identifier *identifier, enum said said,
		      uint16_t port, size_t *known)
{
	const double begun = now_us();

	*known = 0;
	for (size_t i = 0; i < count; i++)
		*known += identify(identifier, said, port, texts[i].bytes,
				   texts[i].len, true) != NULL;
	return (now_us() - begun) / (double)count;
}

static void measure(const char *name, const struct identify_sources *sources)
{
	double begun = now_us(), opened, first, other, second, again = 0;
	struct identifier *identifier = identify_open(sources, tell);
	size_t known, same;

	require(identifier, "the rules cannot be read");
	opened = now_us() - begun;
	first = ask_all(identifier, SAID_FIRST, 0, &known);
	other = ask_all(identifier, SAID_FIRST, CHANGED_PORT, &same);
	second = ask_all(identifier, SAID_SECOND, CHANGED_PORT, &same);
	ask_all(identifier, SAID_FIRST, 0, &same);
	for (int i = 0; i < AGAIN; i++)
		again += ask_all(identifier, SAID_FIRST, 0, &same);
	require(same == known && known > count / 2, "too few are known");
	printf("%-18s %4zu of %zu known, %5u rules: read in %5.1f ms; a banner "
	       "%5.1f us (its pattern not compiled before: %5.1f), a response "
	       "%5.1f us, seen before %5.3f us\n",
	       name, known, count, identify_statistics(identifier)->rules,
	       opened / 1000, other, first, second, again / AGAIN);
	identify_close(identifier);
}

/* --- a start -------------------------------------------------------------- */

static int compare(const void *one, const void *other)
{
	const double difference = *(const double *)one - *(const double *)other;

	return difference < 0 ? -1 : difference > 0;
}

/* Its CPU time, us. */
static double start_once(char **argv, double *faults)
{
	const pid_t pid = fork();
	struct rusage usage;
	int status;

	if (!pid) {
		const int nowhere = open("/dev/null", O_WRONLY);

		dup2(nowhere, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	require(pid > 0 && wait4(pid, &status, 0, &usage) == pid && !status,
		"the program fails");
	*faults = (double)usage.ru_minflt;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Interleaved: what slows the machine down slows each of them down. */
static void measure_starts(char *ways[][10], size_t count_of_ways)
{
	double times[4][STARTS], faults[4][STARTS];

	for (int i = 0; i < STARTS; i++) {
		for (size_t way = 0; way < count_of_ways; way++)
			times[way][i] = start_once(ways[way], &faults[way][i]);
	}
	for (size_t way = 0; way < count_of_ways; way++) {
		qsort(times[way], STARTS, sizeof(double), compare);
		qsort(faults[way], STARTS, sizeof(double), compare);
		printf("a run of a small capture, %-20s %6.1f ms of CPU, "
		       "%5.0f page faults (medians of %d)\n",
		       !way	? "without" :
		       way == 1 ? "--identify" :
				  "--probes",
		       times[way][STARTS / 2] / 1000, faults[way][STARTS / 2],
		       STARTS);
	}
}

int main(int argc, char **argv)
{
	const char *rules[] = { argc > 2 ? argv[2] : NULL, NULL };
	const char *probes[] = { argc > 4 ? argv[4] : NULL, NULL };
	struct identify_sources sources = { .rules = rules };

	require(argc > 3, "usage: PROGRAM RULES CAPTURE [PROBES]");
	char *ways[][10] = {
		{ argv[1], "-r", argv[3], NULL },
		{ argv[1], "--identify", "-r", argv[3], NULL },
		{ argv[1], "--probes", argv[4], "-r", argv[3], NULL },
	};
	read_greetings(rules[0]);
	measure("the project's", &sources);
	sources.probes = probes;
	if (*probes)
		measure("and nmap's before", &sources);
	measure_starts(ways, *probes ? 3 : 2);
	return 0;
}
