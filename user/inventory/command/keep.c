/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The keeper: keeps an inventory of the events that bannerprobe --inventory
 * sends to this process. Signals are left to bannerprobe: when its stream ends,
 * the keeper writes what is left, and ends.
 */
#include "command.h"
#include "confine.h"
#include "identification.h"
#include "inventory/inventory_stream.h"
#include "outbox.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITTEN_MS 900	    /* after this an event is on the disk */
#define LOOK_US 10000	    /* how often other writers' work is looked for */
#define FIRST_MS 100	    /* to the first transaction */
#define BATCH 20000	    /* events in a transaction at most */
#define WRITER_MS 200	    /* of waiting for another process that writes */
#define LAST_TRIES 5	    /* such waits at the end */
#define START_MS 600000	    /* loading the probe's programs may take long */
#define RECOUNT_MS 60000    /* from one count of all services to the next */
#define LAST_CHANGES_MS 500 /* live: for the probe to take the last changes */
#define NS_PER_US 1000
#define TUNNEL_TEXT (TUNNELS_MAX * sizeof("/4294967295"))

struct keeper {
	const char *file;
	struct inventory *inventory;
	struct stream_counts *counts;
	bool is_live;
	bool ended;	/* the stream */
	bool failing;	/* the last transaction failed; reported once */
	bool elsewhere; /* the file was removed or replaced; reported once */
	bool told[UNKEPT_REASONS]; /* each is reported as it begins */
	uint64_t taken;		   /* events */
	uint64_t latest;	   /* us since 1970: time of the latest event */
	uint64_t batch;		   /* events since the last transaction */
	int64_t flushed; /* us since 1970: the end of the last transaction */
	int pause;	 /* ms from there to the next one */
	int64_t looked;	 /* us since 1970: for what others wrote */
	struct outbox outbox; /* changes, for the log */
	int64_t counted;      /* us since 1970: the last count of services */
	uint64_t services;    /* of the file, without those that this
			       * process added */
	union {
		struct event event;
		uint8_t bytes[STREAM_EVENT_MAX + 1];
	} datagram;
};

/* --- an event ---------------------------------------------------------- */

static struct address address_of(const struct event *event, const __u32 *from)
{
	struct address address = { .family = event->family };

	memcpy(address.byte, from, event->family == 6 ? 16 : 4);
	return address;
}

/* Makes an observation of an event. False: a reply, which is not kept. */
static bool observe(const struct event *event, struct observation *seen)
{
	switch (event->kind) {
	case EVENT_BANNER:
		seen->event = OBSERVED_BANNER;
		break;
	case EVENT_RESPONSE:
		seen->event = OBSERVED_RESPONSE;
		break;
	case EVENT_OPEN:
		seen->event = OBSERVED_OPEN;
		break;
	case EVENT_REQUEST:
		seen->event = OBSERVED_REQUEST;
		break;
	default:
		return false;
	}
	seen->time = event->time / NS_PER_US;
	seen->server = address_of(event, event->server);
	seen->client = address_of(event, event->client);
	seen->server_port = event->server_port;
	seen->client_port = event->client_port;
	seen->bytes = event->bytes;
	seen->len = event->kind == EVENT_OPEN ? 0 : event->kept;
	seen->complete = event->kept >= event->len;
	return true;
}

/* The identifiers of the tunnels that have one: "42/7". */
static void name_tunnels(const struct event *event, char text[TUNNEL_TEXT])
{
	size_t at = 0;

	for (int i = 0; i < event->tunnel_count; i++) {
		struct tunnel tunnel;

		memcpy(&tunnel, event->bytes + event->kept + i * sizeof(tunnel),
		       sizeof(tunnel));
		if (tunnel.id)
			at += (size_t)snprintf(text + at, TUNNEL_TEXT - at,
					       "%s%u", at ? "/" : "",
					       tunnel.id);
	}
}

/* An event's size without its owner. */
static size_t bare_size(const struct event *event)
{
	return sizeof(*event) + event->kept +
	       event->tunnel_count * sizeof(struct tunnel);
}

/* The reader handles hostile bytes, so nothing in its events is trusted. */
static bool is_event(const struct event *event, size_t size)
{
	return size >= sizeof(*event) && event->kept <= BANNER_MAX &&
	       event->tunnel_count <= TUNNELS_MAX &&
	       (size == bare_size(event) ||
		size == bare_size(event) + sizeof(struct stream_owner)) &&
	       (event->family == 4 || event->family == 6);
}

static void observe_owner(const struct keeper *keeper, size_t size,
			  struct stream_owner *owner, struct observation *seen)
{
	const size_t at = bare_size(&keeper->datagram.event);

	if (size == at)
		return;
	memcpy(owner, keeper->datagram.bytes + at, sizeof(*owner));
	owner->unit[sizeof(owner->unit) - 1] = '\0';
	owner->container[sizeof(owner->container) - 1] = '\0';
	owner->process[sizeof(owner->process) - 1] = '\0';
	seen->unit = owner->unit;
	seen->container = owner->container;
	seen->process = owner->process;
}

static void take(struct keeper *keeper, size_t size)
{
	struct stream_owner owner;
	const struct event *event = &keeper->datagram.event;
	char tunnel[TUNNEL_TEXT] = "";
	struct observation seen = { .sensor = "", .tunnel = tunnel };

	keeper->taken++;
	if (!is_event(event, size) || !observe(event, &seen))
		return;
	name_tunnels(event, tunnel);
	observe_owner(keeper, size, &owner, &seen);
	if (seen.time > keeper->latest)
		keeper->latest = seen.time;
	inventory_put(keeper->inventory, &seen);
	keeper->batch++;
}

/* --- the file ---------------------------------------------------------- */

/* The time in us since 1970, by the events' clock. */
static uint64_t now_of(const struct keeper *keeper)
{
	return keeper->is_live ? (uint64_t)now_us() : keeper->latest;
}

/* Counted now and then, since other programs may delete services. */
static void count_services(struct keeper *keeper)
{
	const uint64_t new_ones = inventory_counts(keeper->inventory)->services;
	const int64_t now = now_us();

	if (now < keeper->counted ||
	    now - keeper->counted >= RECOUNT_MS * 1000LL) {
		const uint64_t all = inventory_services(keeper->inventory);

		keeper->services = all > new_ones ? all - new_ones : 0;
		keeper->counted = now;
	}
	keeper->counts->services = keeper->services + new_ones;
	keeper->counts->ftp_data =
		inventory_counts(keeper->inventory)->ftp_data;
	memcpy(keeper->counts->changes,
	       inventory_counts(keeper->inventory)->changes,
	       sizeof(keeper->counts->changes));
}

/* Their numbers are reported at the end. */
static void tell_new_losses(struct keeper *keeper)
{
	const uint64_t *unkept = inventory_counts(keeper->inventory)->unkept;

	for (int why = 0; why < UNKEPT_REASONS; why++) {
		if (unkept[why] && !keeper->told[why])
			say("the inventory loses %s",
			    unkept_text((enum unkept)why));
		keeper->told[why] |= unkept[why] > 0;
	}
}

static void tell_place(struct keeper *keeper)
{
	const bool elsewhere = inventory_is_elsewhere(keeper->inventory);

	if (elsewhere && !keeper->elsewhere)
		say("--inventory %s: it was removed or replaced, and what "
		    "comes is written to the file as it was: restart "
		    "bannerprobe to keep another one",
		    keeper->file);
	keeper->elsewhere = elsewhere;
}

static void report(struct keeper *keeper, int code)
{
	struct stream_counts *counts = keeper->counts;

	/* An event whose service cannot be read is lost: one message only. */
	if (!code && !counts->lost &&
	    inventory_counts(keeper->inventory)->lost &&
	    *inventory_error(keeper->inventory))
		say("%s", inventory_error(keeper->inventory));
	counts->lost = inventory_counts(keeper->inventory)->lost;
	if (!code)
		counts->written = keeper->taken - counts->lost;
	if (code && code != -EAGAIN && !keeper->failing)
		say("%s%s", inventory_error(keeper->inventory),
		    code == -ENOSPC && !keeper->ended ?
			    "; until then what is new waits in memory" :
			    "");
	keeper->failing = code && code != -EAGAIN;
	tell_new_losses(keeper);
	tell_place(keeper);
	count_services(keeper);
}

/*
 * An event that comes as a transaction begins waits for its end, and is on the
 * disk with the end of the next one, which may take as long. A disk that is too
 * slow for that has half of the time: in the other half events are taken.
 */
static int pause_after(int64_t took_ms)
{
	const int64_t pause = WRITTEN_MS - 2 * took_ms;

	if (took_ms < 0 || took_ms > WRITTEN_MS) /* or the clock was set back */
		return WRITTEN_MS;
	return (int)(pause > took_ms ? pause : took_ms);
}

static void flush(struct keeper *keeper)
{
	const int64_t began = now_us();

	report(keeper, inventory_flush(keeper->inventory, now_of(keeper)));
	keeper->flushed = now_us();
	keeper->pause = pause_after((keeper->flushed - began) / 1000);
	keeper->batch = 0;
}

static int milliseconds_to_flush(const struct keeper *keeper)
{
	const int64_t since = (now_us() - keeper->flushed) / 1000;

	/* A clock that is set back must not delay the next transaction. */
	return since < 0 || since >= keeper->pause ? 0 :
						     keeper->pause - (int)since;
}

/* A service that was forgotten meanwhile is new with its next event. */
static void look_at_others(struct keeper *keeper)
{
	const int64_t now = now_us(), since = now - keeper->looked;

	if (since >= 0 && since < LOOK_US)
		return;
	keeper->looked = now;
	if (inventory_is_touched(keeper->inventory))
		flush(keeper);
}

/* --- the stream -------------------------------------------------------- */

/* Takes the events at hand, at most BATCH of them. */
static void receive(struct keeper *keeper)
{
	while (keeper->batch < BATCH) {
		const ssize_t size =
			recv(KEEPER_STREAM, &keeper->datagram,
			     sizeof(keeper->datagram), MSG_DONTWAIT);

		if (size < 0 && errno == EINTR)
			continue;
		keeper->ended = !size || (size < 0 && errno != EAGAIN);
		if (size <= 0)
			return;
		take(keeper, (size_t)size);
		if (!(keeper->taken % 256) && !milliseconds_to_flush(keeper))
			return;
	}
}

/* Captures' events wait in the socket until there is room for changes. */
static short awaited(const struct keeper *keeper, bool sent)
{
	const bool is_crowded =
		!keeper->is_live && outbox_is_crowded(&keeper->outbox);

	return (is_crowded ? 0 : POLLIN) | (sent ? 0 : POLLOUT);
}

static void serve(struct keeper *keeper)
{
	struct pollfd stream = { .fd = KEEPER_STREAM };

	keeper->flushed = now_us();
	keeper->pause = FIRST_MS; /* what a transaction takes is not known */
	while (!keeper->ended) {
		stream.events = awaited(keeper, outbox_send(&keeper->outbox));
		stream.revents = 0;
		poll(&stream, 1, milliseconds_to_flush(keeper));
		if (stream.revents & ~POLLOUT) {
			look_at_others(keeper);
			receive(keeper);
		}
		if (keeper->batch >= BATCH || !milliseconds_to_flush(keeper))
			flush(keeper);
	}
}

/* Waits for the start of the run, opens the inventory, and answers. */
static bool await_start(struct keeper *keeper)
{
	struct pollfd stream = { .fd = KEEPER_STREAM, .events = POLLIN };
	struct stream_start start = {};
	ssize_t size;

	if (poll(&stream, 1, START_MS) <= 0)
		return false;
	size = recv(KEEPER_STREAM, &start, sizeof(start), 0);
	if (!size)
		return false; /* the run did not start; bannerprobe said why */
	if (size != sizeof(start) || start.event_size != sizeof(struct event) ||
	    strncmp(start.version, VERSION, sizeof(start.version))) {
		say("bannerprobe is of another version than this one, " VERSION
		    ": install both of one");
		exit(EXIT_FAILED);
	}
	keeper->is_live = start.is_live;
	return true;
}

/* --- the command ------------------------------------------------------- */

static int finish_stream(struct keeper *keeper)
{
	char error[INVENTORY_ERROR];
	uint64_t lost = 0;
	int code = -EAGAIN;

	for (int i = 0; i < LAST_TRIES && code == -EAGAIN; i++)
		code = inventory_flush(keeper->inventory, now_of(keeper));
	report(keeper, code);
	tell_unkept(inventory_counts(keeper->inventory));
	code = inventory_close(keeper->inventory, now_of(keeper), &lost, error);
	keeper->counts->lost = lost;
	if (code && !keeper->failing)
		say("--inventory %s", error);
	outbox_finish(&keeper->outbox, keeper->is_live ? LAST_CHANGES_MS : -1);
	return code ? EXIT_FAILED : EXIT_DONE;
}

/* For --check of bannerprobe. */
static int look_at(const char *file)
{
	char error[INVENTORY_ERROR];

	if (inventory_try(file, error))
		return EXIT_DONE;
	say("--inventory %s", error);
	return EXIT_FAILED;
}

static int keep(struct keeper *keeper, const char *file,
		struct inventory_options *how)
{
	char error[INVENTORY_ERROR];

	if (!await_start(keeper))
		return EXIT_DONE;
	keeper->outbox = (struct outbox){ .socket = KEEPER_STREAM,
					  .counts = keeper->counts };
	how->changed = outbox_put;
	how->changed_context = &keeper->outbox;
	how->is_live = keeper->is_live;
	keeper->file = file;
	keeper->inventory = inventory_open(file, how, error);
	if (!keeper->inventory) {
		say("--inventory %s", error);
		return EXIT_FAILED;
	}
	if (!confine_keeper() || send(KEEPER_STREAM, "", 1, MSG_NOSIGNAL) < 0)
		return EXIT_FAILED;
	serve(keeper);
	return finish_stream(keeper);
}

/* Rules that the command line names. */
static struct named_rules named;
static bool only_looks; /* at the file, and ends */

static const struct argp_option options[] = {
	RULE_OPTIONS,
	{ "quiet-rules", RULES_QUIETLY, NULL, 0,
	  "another process reports what is wrong in the rules", 0 },
	{ "gone", 'g', "SPAN", 0,
	  "a service that was not seen for so long has returned (7d)", 0 },
	{ "new-at-once", 'N', NULL, 0,
	  "a service is new with its first connection on any port", 0 },
	{ "clients", 'c', NULL, 0, "keep clients that speak first", 0 },
	{ "look", 'l', NULL, 0, "look whether FILE can be used, and end", 0 },
	{},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct inventory_options *how = state->input;

	if (!rule_option(&named, key, argument))
		return 0;
	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* getopt prints the message */
		return 0;
	case 'g':
		how->gone_us = (uint64_t)parse_span("--gone", argument);
		return 0;
	case 'N':
		how->new_at_once = true;
		return 0;
	case 'c':
		how->clients = true;
		return 0;
	case 'l':
		only_looks = true;
		return 0;
	case ARGP_KEY_ARG:
		wrong_usage("%s: keep takes options only", argument);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int command_keep(const struct command *command, const char *file, int argc,
		 char **argv)
{
	struct inventory_options how = { .create = true, .busy_ms = WRITER_MS };
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	int result = EXIT_FAILED;

	say_for_the_probe();
	parse_words(command, options, parse, &how, argc, argv);
	/* Members of the user's group may read the inventory. */
	umask(umask(0) & ~(mode_t)S_IRGRP);
	prctl(PR_SET_NAME, KEEPER_NAME); /* after fexecve() it is a number */
	if (!keeper) {
		say("out of memory");
		return EXIT_FAILED;
	}
	keeper->counts =
		mmap(NULL, sizeof(*keeper->counts), PROT_READ | PROT_WRITE,
		     MAP_SHARED, KEEPER_COUNTS, 0);
	if (keeper->counts == MAP_FAILED) {
		say("keep: only bannerprobe --inventory starts this command");
		return EXIT_USAGE;
	}
	if (identification_open(&how, &named)) {
		result = only_looks ? look_at(file) : keep(keeper, file, &how);
		identification_close(&how);
	}
	free(keeper);
	return result;
}
