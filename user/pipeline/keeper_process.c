/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "keeper_process.h"

#include "system/message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STREAM_BUFFER (4 << 20) /* bytes, as the kernel counts them */
#define DIRECTORY_MODE 0750
#define ARGUMENTS_MAX (16 + 2 * PROBES_MAX)
#define ABOVE_KEPT 16 /* above the descriptors that the keeper uses */

/* --- the program --------------------------------------------------------- */

static int open_program_in(const char *directory, int len, const char *below)
{
	char path[PATH_MAX];
	struct stat status;
	int fd;

	if (snprintf(path, sizeof(path), "%.*s/%s" KEEPER_PROGRAM, len,
		     directory, below) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &status) && S_ISREG(status.st_mode) &&
	    status.st_mode & S_IXUSR)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int open_program_on_path(void)
{
	const char *at = getenv("PATH");
	int fd = -1;

	while (at && fd < 0) {
		const int len = (int)strcspn(at, ":");

		/* An empty path would mean the working directory. */
		if (len)
			fd = open_program_in(at, len, "");
		at = at[len] ? at + len + 1 : NULL;
	}
	return fd;
}

/* Opened here, because the user to change to may not have access to it. */
static int open_program(void)
{
	char own[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", own, sizeof(own));
	const char *slash = len > 0 ? memrchr(own, '/', (size_t)len) : NULL;
	int fd = -1;

	if (slash)
		fd = open_program_in(own, (int)(slash - own), "");
	if (slash && fd < 0)
		fd = open_program_in(own, (int)(slash - own), "../bin/");
	return fd < 0 ? open_program_on_path() : fd;
}

/* --- the inventory's place ----------------------------------------------- */

/* The directory that a path is in. False: the path is too long. */
static bool directory_of(const char *path, char directory[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash ? (size_t)(slash - path) : 1;

	if (len >= PATH_MAX)
		return false;
	memcpy(directory, slash ? path : ".", len);
	strcpy(directory + len, len ? "" : "/");
	return true;
}

/* Whether make_directory() could make it. 0 or errno. */
static int try_directory(const char *directory)
{
	char above[PATH_MAX];

	if (!access(directory, F_OK))
		return 0;
	directory_of(directory, above);
	return access(above, W_OK | X_OK) ? errno : 0;
}

/* 0 or errno. */
static int give_directory(const char *directory,
			  const struct identity *identity)
{
	const int fd = open(directory,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const int error =
		fd < 0 || fchown(fd, identity->uid, identity->gid) ? errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/* Makes a directory, where there is none, for the user to change to. */
static bool make_directory(const char *path, const char *directory,
			   const struct identity *identity)
{
	int error = mkdir(directory, DIRECTORY_MODE) ? errno : 0;

	if (error == EEXIST)
		return true;
	if (error) {
		message("--inventory %s: making %s: %s", path, directory,
			strerror(error));
		return false;
	}
	error = identity->changes ? give_directory(directory, identity) : 0;
	if (!error)
		return true;
	rmdir(directory); /* so that the next start does the same */
	message("--inventory %s: giving %s to %s: %s: that needs CAP_CHOWN, "
		"or make a directory that this user owns",
		path, directory, identity->name, strerror(error));
	return false;
}

/*
 * Whether the user can write the file, and the directory: SQLite makes files
 * beside it.
 */
static bool may_write(const char *path, const struct identity *identity)
{
	const char *name = identity->name ? identity->name : "this user";
	char directory[PATH_MAX];

	if (!directory_of(path, directory))
		return false;
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS)) {
		/* Only with --check, which does not make it. */
		if (errno == ENOENT)
			return true;
		message("--inventory %s: %s cannot write to %s: %s: let that "
			"user own it, or name another file",
			path, name, directory, strerror(errno));
		return false;
	}
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) &&
	    errno != ENOENT) {
		message("--inventory %s: %s cannot write it: %s: let that user "
			"own it, or name another file",
			path, name, strerror(errno));
		return false;
	}
	return true;
}

/* --- the process --------------------------------------------------------- */

struct needs {
	const struct options *options;
	const struct identity *identity;
	bool only_look;
	int program, stream, counts;
};

/*
 * Moves descriptors to the numbers that the keeper expects; closes all others.
 */
static bool arrange_descriptors(const struct needs *needs, int life,
				int *program)
{
	const int from[] = { needs->stream, needs->counts, life };
	const int to[] = { KEEPER_STREAM, KEEPER_COUNTS, KEEPER_LIFE };
	int above[3], none = open("/dev/null", O_RDWR | O_CLOEXEC);

	*program = fcntl(needs->program, F_DUPFD_CLOEXEC, ABOVE_KEPT);
	for (int i = 0; i < 3; i++)
		above[i] = fcntl(from[i], F_DUPFD_CLOEXEC, ABOVE_KEPT);
	for (int i = 0; i < 3; i++) {
		if (dup2(above[i], to[i]) < 0)
			return false;
	}
	return *program >= 0 && dup2(none, STDIN_FILENO) >= 0 &&
	       dup2(none, STDOUT_FILENO) >= 0;
}

static bool give_up_privileges(const struct needs *needs)
{
	const bool may_fail = needs->options->unconfined;

	if (privileges_drop(needs->identity, ROLE_READ) && !may_fail)
		return false;
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || may_fail)
		return true;
	message("the inventory's process: no_new_privs: %s", strerror(errno));
	return false;
}

/* Passes the rules on. With --identify the reader reports what is wrong in
 * them. */
static char **add_rules(char **argument, const struct options *options)
{
	for (__u32 i = 0; i < options->probes_count; i++) {
		*argument++ = "--probes";
		*argument++ = (char *)options->probes[i];
	}
	if (options->recog) {
		*argument++ = "--recog";
		*argument++ = (char *)options->recog;
	}
	if (options->identify)
		*argument++ = "--quiet-rules";
	return argument;
}

/* The keeper's command line; ends with NULL. */
static void list_arguments(const struct needs *needs,
			   char *argument[ARGUMENTS_MAX])
{
	const struct options *options = needs->options;

	*argument++ = KEEPER_PROGRAM;
	*argument++ = (char *)options->inventory;
	*argument++ = KEEPER_COMMAND;
	if (options->gone) {
		*argument++ = "--gone";
		*argument++ = (char *)options->gone;
	}
	if (options->new_at_once)
		*argument++ = "--new-at-once";
	if (options->inventory_clients)
		*argument++ = "--clients";
	if (needs->only_look)
		*argument++ = "--look";
	argument = add_rules(argument, options);
	*argument = NULL;
}

static void __attribute__((noreturn))
become_keeper(const struct needs *needs, int life)
{
	const struct options *options = needs->options;
	char *arguments[ARGUMENTS_MAX];
	int program;

	list_arguments(needs, arguments);
	if (!give_up_privileges(needs) ||
	    !may_write(options->inventory, needs->identity))
		_exit(EXIT_FAILED);
	if (arrange_descriptors(needs, life, &program)) {
		const int kept[] = { STDIN_FILENO,  STDOUT_FILENO,
				     STDERR_FILENO, KEEPER_STREAM,
				     KEEPER_COUNTS, KEEPER_LIFE,
				     program };

		process_keep_only(kept, sizeof(kept) / sizeof(*kept));
		fexecve(program, arguments, environ);
	}
	/* message() uses a descriptor that may be closed by now. */
	dprintf(STDERR_FILENO, "bannerprobe: starting " KEEPER_PROGRAM ": %s\n",
		strerror(errno));
	_exit(EXIT_FAILED);
}

/* Sealed: if a process shrank the memory, reading it would be a SIGBUS. */
static int open_counts(struct stream_counts **counts)
{
	const int fd = memfd_create("counts", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, sizeof(**counts)) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -1;
	*counts = mmap(NULL, sizeof(**counts), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);
	return *counts == MAP_FAILED ? -1 : fd;
}

/* Sets the largest send buffer allowed, for bursts before the keeper runs. */
static void widen(int socket)
{
	const int size = STREAM_BUFFER;

	if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* *stream: this process's end of the stream of events. */
static int start(struct keeper_process *keeper, struct needs *needs,
		 int *stream)
{
	int ends[2], result;

	needs->counts = open_counts(&keeper->counts);
	if (needs->counts < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	widen(ends[0]);
	widen(ends[1]);
	needs->stream = ends[1];
	result = process_start(&keeper->process, KEEPER_NAME);
	if (!result)
		become_keeper(needs, keeper->process.life);
	close(ends[1]);
	close(needs->counts);
	if (result < 0)
		close(ends[0]);
	else
		*stream = ends[0];
	return result;
}

/* Makes the inventory's directory, or finds out whether it can be made. */
static bool prepare_directory(const struct needs *needs)
{
	const char *path = needs->options->inventory;
	char directory[PATH_MAX];
	int error;

	if (!directory_of(path, directory)) {
		message("--inventory %s: %s", path, strerror(ENAMETOOLONG));
		return false;
	}
	if (!needs->only_look)
		return make_directory(path, directory, needs->identity);
	error = try_directory(directory);
	if (error)
		message("--inventory %s: making %s: %s", path, directory,
			strerror(error));
	return !error;
}

/* Starts the keeper. `needs`: all but the descriptors. */
static bool launch(struct keeper_process *keeper, struct needs *needs,
		   int *stream)
{
	bool good;

	keeper->path = needs->options->inventory;
	needs->program = open_program();
	if (needs->program < 0) {
		message("--inventory: " KEEPER_PROGRAM " is neither beside "
			"this program nor on PATH: install it");
		return false;
	}
	good = prepare_directory(needs);
	if (good) {
		const int result = start(keeper, needs, stream);

		good = result >= 0;
		if (!good)
			message("starting the inventory's process: %s",
				strerror(-result));
	}
	close(needs->program);
	return good;
}

/* --- its end ------------------------------------------------------------- */

static __u64 lost_at_the_end(const struct keeper_process *keeper)
{
	const struct stream_counts *counts = keeper->counts;
	const __u64 known = counts->written + counts->lost;

	return known < counts->sent ? counts->sent - known : 0;
}

static enum exit_code judge(const struct keeper_process *keeper, bool has_ended)
{
	const int status = keeper->process.status;

	if (!has_ended) {
		message("--inventory %s: not written in time: %llu events lost",
			keeper->path, lost_at_the_end(keeper));
		return EXIT_LOST;
	}
	if (WIFSIGNALED(status)) {
		message("--inventory %s: its process was killed by signal %d: "
			"%llu events lost",
			keeper->path, WTERMSIG(status),
			lost_at_the_end(keeper));
		return EXIT_FAILED;
	}
	/* The keeper reads --gone, whose value may be wrong. */
	if (WEXITSTATUS(status) == EXIT_USAGE)
		return EXIT_USAGE;
	return WEXITSTATUS(status) ? EXIT_FAILED : EXIT_DONE;
}

enum exit_code keeper_process_end(struct keeper_process *keeper,
				  enum exit_code code)
{
	enum exit_code own;
	bool has_ended;

	if (!keeper->process.pid)
		return code;
	process_wait(&keeper->process, WAIT_KEEPER, wait_end(WAIT_KEEPER));
	has_ended = process_end(&keeper->process);
	own = judge(keeper, has_ended);
	munmap(keeper->counts, sizeof(*keeper->counts));
	return code == EXIT_DONE || own == EXIT_FAILED || own == EXIT_USAGE ?
		       own :
		       code;
}

/* --- its start ----------------------------------------------------------- */

/* For --check: the keeper looks at the inventory, and ends. */
static enum exit_code look(struct needs *needs)
{
	struct keeper_process keeper = KEEPER_PROCESS_NONE;
	enum exit_code code;
	int stream = -1;

	needs->only_look = true;
	if (!launch(&keeper, needs, &stream))
		return EXIT_FAILED;
	code = keeper_process_end(&keeper, EXIT_DONE);
	close(stream);
	return code;
}

enum exit_code keeper_process_start(struct keeper_process *keeper,
				    const struct options *options,
				    const struct identity *identity,
				    struct inventory_sink *sink)
{
	struct needs needs = { .options = options, .identity = identity };
	int stream = -1;

	if (options->check)
		return look(&needs);
	if (!launch(keeper, &needs, &stream))
		return EXIT_FAILED;
	inventory_sink_connect(sink, stream, keeper->counts);
	return EXIT_DONE;
}
