// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Sends unsolicited TCP packets, as a forger does that knows
 * addresses and ports, and no sequence number.
 *
 *   forge [OPTION...] IFACE MAC CLIENT PORT SERVER PORT STEP...
 *
 * STEP is c:FLAGS[:BYTES] for a segment of the client, s:FLAGS[:BYTES] for one
 * of the server; FLAGS are of SAPRF, or - for none. All steps, in their order,
 * are one round. Options:
 *
 *   -n ROUNDS   how many (1)
 *   -r RATE     rounds a second (0: as fast as they go)
 *   -p SPAN     the client's ports in turn: so many, from PORT on (1)
 *   -w WHO      fixed (default); ports, ends: each round another pair of ends
 *               with the XOR of the ends given; servers: another server
 *               each round
 *   -q SEQ      talk (default: as in a real conversation); random; sweep: all
 *               numbers, 65535 apart, for each port of the span
 *   -a ACK      likewise; wrong, for either: another each time, and far from
 *               that of the conversation
 *   -c, -s N    initial number of the client, of the server (default: random)
 *   -g          good checksums. Without it the stack behind the probe drops
 *               the packets unheard, and the probe alone has to judge them
 *   -T TTL      1: a router drops them, behind its hooks (64)
 *   -S SEED     of all that is random (1)
 *   -t SECONDS  ends then at the latest (30)
 *
 * Says "sending" once each port had its first round, and at the end, which may
 * be asked for by SIGTERM, how many packets were sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	STEPS_MAX = 8,
	BATCH = 64,
	DATA_MAX = 1024,
	FRAME_MAX = 2048,
	SWEEP_STEP = 65535,
	WINDOW = 1024,
	PAUSE_NS = 500000,
	FAR = 1 << 24, /* from the true number, at least */
};

enum who { WHO_FIXED, WHO_PORTS, WHO_ENDS, WHO_SERVERS };
enum number { NUMBER_TALK, NUMBER_RANDOM, NUMBER_WRONG, NUMBER_SWEEP };

static const char *const who_names[] = { "fixed", "ports", "ends", "servers",
					 NULL };
static const char *const number_names[] = { "talk", "random", "wrong", "sweep",
					    NULL };

/* A record with this text was logged by mistake. */
static const char payload[] = "FORGED\r\n";

struct end {
	uint8_t address[16]; /* of IPv4 the first four */
	uint16_t port;
};

struct step {
	bool of_server;
	uint8_t flags;
	unsigned int data;
};

static struct {
	struct ether_header ethernet;
	struct end client, server;
	int family, address_size;
	struct step steps[STEPS_MAX];
	unsigned int step_count;
	uint64_t rounds, rate, span, seconds;
	enum who who;
	enum number seq, ack;
	bool has_cisn, has_sisn, sound;
	uint32_t cisn, sisn;
	uint8_t ttl;
} opt = { .rounds = 1, .span = 1, .seconds = 30, .ttl = 64 };

static uint64_t state = 1; /* of what is random */
static volatile sig_atomic_t stopped;

static uint8_t frames[BATCH][FRAME_MAX];
static struct iovec parts[BATCH];
static struct mmsghdr batch[BATCH];
static unsigned int filled;
static uint64_t sent;

static void usage(const char *what)
{
	fprintf(stderr, "forge: %s: see the head of tests/system/forge.c\n",
		what);
	exit(2);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* xorshift64* */
static uint32_t some(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * 0x2545f4914f6cdd1dULL >> 32);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* --- one packet */

static uint32_t sum(const void *data, size_t size, uint32_t so_far)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		so_far += i % 2 ? bytes[i] : bytes[i] << 8;
	return so_far;
}

static uint16_t folded(uint32_t all)
{
	while (all >> 16)
		all = (all & 0xffff) + (all >> 16);
	return htons((uint16_t)~all);
}

static size_t put_ipv4(uint8_t *at, const struct end *from,
		       const struct end *to, size_t size)
{
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = opt.ttl, .protocol = IPPROTO_TCP
	};

	ip.tot_len = htons((uint16_t)(sizeof(ip) + size));
	memcpy(&ip.saddr, from->address, sizeof(ip.saddr));
	memcpy(&ip.daddr, to->address, sizeof(ip.daddr));
	ip.check = folded(sum(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t put_ipv6(uint8_t *at, const struct end *from,
		       const struct end *to, size_t size)
{
	struct ip6_hdr ip = {};

	ip.ip6_flow = htonl(6U << 28);
	ip.ip6_plen = htons((uint16_t)size);
	ip.ip6_nxt = IPPROTO_TCP;
	ip.ip6_hlim = opt.ttl;
	memcpy(&ip.ip6_src, from->address, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, to->address, sizeof(ip.ip6_dst));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip);
}

static uint16_t tcp_checksum(const struct end *from, const struct end *to,
			     const uint8_t *tcp, size_t size)
{
	uint32_t all = sum(from->address, opt.address_size, IPPROTO_TCP);
	uint16_t good;

	all = sum(to->address, opt.address_size, all) + (uint32_t)size;
	good = folded(sum(tcp, size, all));
	return opt.sound ? good : good ^ htons(0x1234);
}

static size_t put_frame(uint8_t *frame, const struct end *from,
			const struct end *to, const struct step *step,
			uint32_t seq, uint32_t ack)
{
	struct tcphdr tcp = { .source = htons(from->port),
			      .dest = htons(to->port),
			      .seq = htonl(seq),
			      .ack_seq = htonl(ack),
			      .doff = sizeof(tcp) / 4,
			      .window = htons(WINDOW) };
	size_t size = sizeof(tcp) + step->data, at = sizeof(opt.ethernet);
	uint8_t *start;

	tcp.th_flags = step->flags;
	memcpy(frame, &opt.ethernet, at);
	at += opt.family == AF_INET ? put_ipv4(frame + at, from, to, size) :
				      put_ipv6(frame + at, from, to, size);
	start = frame + at;
	memcpy(start, &tcp, sizeof(tcp));
	for (unsigned int i = 0; i < step->data; i++)
		start[sizeof(tcp) + i] = payload[i % (sizeof(payload) - 1)];
	tcp.check = tcp_checksum(from, to, start, size);
	memcpy(start, &tcp, sizeof(tcp));
	return at + size;
}

/* --- sending */

static int open_interface(const char *name)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET,
				    .sll_ifindex = (int)if_nametoindex(name) };
	const int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !link.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&link, sizeof(link)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)))
		die(name);
	return fd;
}

static void flush(int fd)
{
	unsigned int done = 0;

	while (done < filled) {
		int n = sendmmsg(fd, batch + done, filled - done, 0);

		if (n > 0)
			done += (unsigned int)n;
		else if (errno != ENOBUFS && errno != EINTR && errno != EAGAIN)
			die("sendmmsg");
		else if (stopped)
			break;
	}
	sent += done;
	filled = 0;
}

static uint8_t *room(int fd)
{
	if (filled == BATCH)
		flush(fd);
	return frames[filled];
}

static void append(size_t size)
{
	parts[filled] = (struct iovec){ frames[filled], size };
	batch[filled].msg_hdr =
		(struct msghdr){ .msg_iov = &parts[filled], .msg_iovlen = 1 };
	filled++;
}

/* --- one round */

static void choose_ends(uint64_t round, struct end *client, struct end *server)
{
	uint16_t ports = (uint16_t)some();

	*client = opt.client;
	*server = opt.server;
	client->port = (uint16_t)(client->port + round % opt.span);
	if (opt.who == WHO_SERVERS) {
		/* 198.18.0.0/15 and its like in IPv6 are for benchmarks. */
		memcpy(server->address, (uint8_t[]){ 198, 18 }, 2);
		server->address[2] = (uint8_t)some();
		server->address[3] = (uint8_t)some();
		server->port = ports;
	}
	if (opt.who == WHO_PORTS || opt.who == WHO_ENDS) {
		client->port ^= ports;
		server->port ^= ports;
	}
	for (int i = 0; opt.who == WHO_ENDS && i < opt.address_size; i++) {
		uint8_t mask = (uint8_t)some();

		client->address[i] ^= mask;
		server->address[i] ^= mask;
	}
}

static uint32_t choose(enum number number, uint32_t talk, uint64_t round)
{
	switch (number) {
	case NUMBER_RANDOM:
		return some();
	case NUMBER_WRONG:
		return talk + FAR + some() % (0U - 2U * FAR);
	case NUMBER_SWEEP:
		return (uint32_t)(round / opt.span * SWEEP_STEP);
	default:
		return talk;
	}
}

static void send_round(int fd, uint64_t round)
{
	struct end ends[2]; /* of the client, of the server */
	uint32_t isn[2] = { opt.has_cisn ? opt.cisn : some(),
			    opt.has_sisn ? opt.sisn : some() };
	uint32_t next[2] = { isn[0] + 1, isn[1] + 1 };

	choose_ends(round, &ends[0], &ends[1]);
	for (unsigned int i = 0; i < opt.step_count; i++) {
		const struct step *step = &opt.steps[i];
		const int from = step->of_server, to = !from;
		uint32_t seq = step->flags & TH_SYN ? isn[from] : next[from];
		uint32_t ack = step->flags & TH_ACK ? next[to] : 0;
		uint8_t *frame = room(fd);

		seq = choose(opt.seq, seq, round);
		ack = choose(opt.ack, ack, round);
		append(put_frame(frame, &ends[from], &ends[to], step, seq,
				 ack));
		next[from] += step->data;
	}
}

static void send_all(int fd)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	const double start = now();
	bool told = false;

	for (uint64_t round = 0; round < opt.rounds && !stopped; round++) {
		double since = now() - start;

		if (since > (double)opt.seconds)
			break;
		while (opt.rate && !stopped &&
		       (double)round > since * (double)opt.rate) {
			flush(fd);
			nanosleep(&pause, NULL);
			since = now() - start;
		}
		send_round(fd, round);
		if (!told && round + 1 >= opt.span) {
			flush(fd);
			puts("sending");
			fflush(stdout);
			told = true;
		}
	}
	flush(fd);
	printf("%llu\n", (unsigned long long)sent);
}

/* --- the command line */

static uint64_t number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end)
		usage(text);
	return value;
}

static int choice(const char *text, const char *const *names)
{
	for (int i = 0; names[i]; i++) {
		if (!strcmp(text, names[i]))
			return i;
	}
	usage(text);
	return -1;
}

static void read_end(struct end *end, const char *address, const char *port)
{
	opt.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	opt.address_size = opt.family == AF_INET ? 4 : 16;
	if (inet_pton(opt.family, address, end->address) != 1)
		usage(address);
	end->port = (uint16_t)number(port);
}

static void read_mac(const char *text)
{
	unsigned int b[ETH_ALEN];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3],
		   &b[4], &b[5]) != ETH_ALEN)
		usage(text);
	for (int i = 0; i < ETH_ALEN; i++)
		opt.ethernet.ether_dhost[i] = (uint8_t)b[i];
	memcpy(opt.ethernet.ether_shost, "\2FORGE", ETH_ALEN);
	opt.ethernet.ether_type =
		htons(opt.family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
}

static void read_step(const char *text)
{
	static const char letters[] = "FSRPA"; /* in the order of their bits */
	struct step step = { .of_server = text[0] == 's' };
	const char *at = text + 2;

	if (opt.step_count == STEPS_MAX || !strchr("cs", text[0]) ||
	    text[1] != ':')
		usage(text);
	for (; *at && *at != ':'; at++) {
		const char *letter = strchr(letters, *at);

		if (letter)
			step.flags |= (uint8_t)(1 << (letter - letters));
		else if (*at != '-')
			usage(text);
	}
	if (*at)
		step.data = (unsigned int)number(at + 1);
	if (step.data > DATA_MAX)
		usage(text);
	opt.steps[opt.step_count++] = step;
}

/* Whether an initial number is given. */
static bool read_isn(uint32_t *isn)
{
	if (!strcmp(optarg, number_names[NUMBER_RANDOM]))
		return false;
	*isn = (uint32_t)number(optarg);
	return true;
}

static void read_option(int option)
{
	switch (option) {
	case 'n':
		opt.rounds = number(optarg);
		break;
	case 'r':
		opt.rate = number(optarg);
		break;
	case 'p':
		opt.span = number(optarg);
		break;
	case 'w':
		opt.who = (enum who)choice(optarg, who_names);
		break;
	case 'q':
		opt.seq = (enum number)choice(optarg, number_names);
		break;
	case 'a':
		opt.ack = (enum number)choice(optarg, number_names);
		break;
	case 'c':
		opt.has_cisn = read_isn(&opt.cisn);
		break;
	case 's':
		opt.has_sisn = read_isn(&opt.sisn);
		break;
	case 'g':
		opt.sound = true;
		break;
	case 'S':
		state = number(optarg) * 2 + 1;
		break;
	case 'T':
		opt.ttl = (uint8_t)number(optarg);
		break;
	case 't':
		opt.seconds = number(optarg);
		break;
	default:
		usage("wrong option");
	}
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	const char *interface;
	int option;

	while ((option = getopt(argc, argv, "n:r:p:w:q:a:c:s:gT:S:t:")) != -1)
		read_option(option);
	argv += optind;
	if (argc - optind < 7)
		usage("too few arguments");
	interface = argv[0];
	read_end(&opt.client, argv[2], argv[3]);
	read_end(&opt.server, argv[4], argv[5]);
	read_mac(argv[1]);
	for (argv += 6; *argv; argv++)
		read_step(*argv);
	if (!opt.span || (opt.who == WHO_SERVERS && opt.family != AF_INET))
		usage("a span of 0, or servers of IPv6");
	sigaction(SIGTERM, &action, NULL);
	send_all(open_interface(interface));
	return 0;
}
