/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER 100	      /* bytes of SQLite's file header */
#define VALUE_MOST (16 << 20) /* bytes of a text, a blob or a row */
#define APPLICATION_AT 68     /* offset of application_id in it, big-endian */

/* STRICT tables need SQLite 3.37 (2021); older ones take them for damaged. */
#define SQLITE_NEEDED 3037000
#if SQLITE_VERSION_NUMBER < SQLITE_NEEDED
#error "the inventory needs SQLite 3.37 or newer"
#endif

/* The steps from each version to the next; the first one makes a new file. */
static const char *const steps[STORE_VERSION] = {
	"CREATE TABLE service ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" sensor TEXT NOT NULL,"
	" server TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" tunnel TEXT NOT NULL,"
	" first_seen INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL,"
	" connections INTEGER NOT NULL,"
	" banner_id INTEGER REFERENCES banner (id),"
	" unit TEXT, container TEXT, process TEXT,"
	" ever_different INTEGER NOT NULL DEFAULT 0,"
	" told INTEGER NOT NULL DEFAULT 1,"
	" UNIQUE (sensor, server, port, tunnel)) STRICT;"

	"CREATE TABLE banner ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" service_id INTEGER NOT NULL REFERENCES service (id),"
	" first_raw BLOB NOT NULL,"
	" latest_raw BLOB NOT NULL,"
	" stable TEXT NOT NULL,"
	" first_seen INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL,"
	" count INTEGER NOT NULL,"
	" service TEXT, product TEXT, version TEXT, info TEXT, os TEXT,"
	" hostname TEXT, devicetype TEXT, cpe TEXT,"
	" whole INTEGER NOT NULL,"
	" refusal INTEGER NOT NULL) STRICT;"
	"CREATE INDEX banner_service ON banner (service_id);"

	"CREATE TABLE change ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" ts INTEGER NOT NULL,"
	" service_id INTEGER NOT NULL REFERENCES service (id),"
	" kind TEXT NOT NULL,"
	" old_banner INTEGER REFERENCES banner (id),"
	" new_banner INTEGER REFERENCES banner (id),"
	" number INTEGER) STRICT;"
	"CREATE INDEX change_ts ON change (ts);"
	"CREATE INDEX change_service ON change (service_id);"

	"CREATE TABLE ftp_server ("
	" sensor TEXT NOT NULL,"
	" server TEXT NOT NULL,"
	" greeted INTEGER NOT NULL,"
	" PRIMARY KEY (sensor, server)) STRICT, WITHOUT ROWID;"

	"CREATE TABLE import ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" sensor TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" head BLOB NOT NULL,"
	" head_len INTEGER NOT NULL,"
	" read INTEGER NOT NULL) STRICT;",

	"ALTER TABLE change ADD COLUMN old_owner TEXT;"
	"ALTER TABLE change ADD COLUMN new_owner TEXT;",
};

/* --- errors ------------------------------------------------------------ */

static const struct {
	int code, error;
	const char *text;
} failures[] = {
	{ SQLITE_FULL, -ENOSPC, "the disk is full: make room" },
	{ SQLITE_READONLY, -EROFS,
	  "it cannot be written; check its owner and its directory's" },
	{ SQLITE_BUSY, -EAGAIN, "another process writes it; try again" },
	{ SQLITE_LOCKED, -EAGAIN, "another process writes it; try again" },
	{ SQLITE_CORRUPT, -EILSEQ,
	  "it is damaged; save what can be read by sqlite3's .recover, and "
	  "begin a new one" },
	{ SQLITE_NOTADB, -EILSEQ, "it is no inventory, and was left alone" },
	{ SQLITE_CANTOPEN, -EACCES,
	  "it cannot be opened; check its rights and its directory's" },
	{ SQLITE_PERM, -EACCES, "it may not be opened; check its rights" },
	{ SQLITE_NOMEM, -ENOMEM, "out of memory" },
	{ SQLITE_IOERR, -EIO, "reading or writing it failed" },
};

static int fail(struct store *store, int error, const char *text)
{
	snprintf(store->error, sizeof(store->error), "%.300s: %s", store->path,
		 text);
	return error;
}

int store_fail(struct store *store, int code)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		if (failures[i].code == (code & 0xff))
			return fail(store, failures[i].error, failures[i].text);
	}
	snprintf(store->error, sizeof(store->error), "%.300s: %.150s",
		 store->path, sqlite3_errmsg(store->db));
	return -EIO;
}

int store_execute(struct store *store, const char *sql)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : store_fail(store, code);
}

sqlite3_stmt *store_prepare(struct store *store, const char *sql)
{
	sqlite3_stmt *statement;
	int code =
		sqlite3_prepare_v3(store->db, sql, -1,
				   SQLITE_PREPARE_PERSISTENT, &statement, NULL);

	if (code == SQLITE_OK)
		return statement;
	store_fail(store, code);
	return NULL;
}

/* --- opening ----------------------------------------------------------- */

/* The system's library may be older than the header at build time. */
static int check_library(struct store *store)
{
	if (sqlite3_libversion_number() >= SQLITE_NEEDED)
		return 0;
	snprintf(store->error, sizeof(store->error),
		 "%.300s: it needs SQLite 3.37 or newer, and here is %.20s: "
		 "install a newer one, or bring the logs to a newer system",
		 store->path, sqlite3_libversion());
	return -ENOSYS;
}

/*
 * Checks that the file is an inventory, before SQLite opens it and perhaps
 * writes to a database of another program. An empty file is a new inventory.
 */
static int check_header(struct store *store, enum store_use use, bool *empty)
{
	static const char magic[16] = "SQLite format 3";
	unsigned char header[HEADER];
	struct stat status;
	ssize_t n;
	int file = open(store->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*empty = true;
	if (file < 0 && errno == ENOENT && use >= STORE_CREATE)
		return 0;
	if (file < 0)
		return fail(store, -errno,
			    errno == ENXIO ? "it is no file" : strerror(errno));
	if (fstat(file, &status) || !S_ISREG(status.st_mode)) {
		close(file);
		return fail(store, -EINVAL, "it is no file");
	}
	n = pread(file, header, sizeof(header), 0);
	close(file);
	if (n < 0)
		return fail(store, -errno, strerror(errno));
	*empty = !n;
	if (!n)
		return 0;
	if (n < HEADER || memcmp(header, magic, sizeof(magic)) ||
	    ((uint32_t)header[APPLICATION_AT] << 24 |
	     (uint32_t)header[APPLICATION_AT + 1] << 16 |
	     (uint32_t)header[APPLICATION_AT + 2] << 8 |
	     header[APPLICATION_AT + 3]) != STORE_APPLICATION)
		return fail(store, -EILSEQ,
			    "it is no inventory, and was left alone");
	return 0;
}

/*
 * SQLite opens what lies beside the file, and would wait for a pipe's writer. A
 * user that may write to the directory must not make root wait.
 */
static int check_beside(struct store *store)
{
	static const char *const ends[] = { "-journal", "-wal", "-shm" };
	struct stat status;
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(ends) / sizeof(*ends); i++) {
		char *name;

		if (asprintf(&name, "%s%s", store->path, ends[i]) < 0)
			return -ENOMEM;
		if (!lstat(name, &status) && !S_ISREG(status.st_mode)) {
			snprintf(store->error, sizeof(store->error),
				 "%.300s: it is no file: remove it", name);
			error = -EINVAL;
		}
		free(name);
	}
	return error;
}

static int read_version(struct store *store, int *version)
{
	sqlite3_stmt *statement = store_prepare(store, "PRAGMA user_version");
	int code;

	*version = 0;
	if (!statement)
		return -EIO;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? 0 : store_fail(store, code);
}

/* In one transaction, so that a file always has one version's tables. */
static int bring_up_to_date(struct store *store)
{
	char sql[96];
	int version, error = store_execute(store, "BEGIN EXCLUSIVE");

	if (error)
		return error;
	error = read_version(store, &version);
	for (int i = version; !error && i < STORE_VERSION; i++)
		error = store_execute(store, steps[i]);
	snprintf(sql, sizeof(sql),
		 "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 STORE_APPLICATION, STORE_VERSION);
	if (!error && version < STORE_VERSION)
		error = store_execute(store, sql);
	if (!error)
		error = store_execute(store, "COMMIT");
	if (error)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return error;
}

static int check_version(struct store *store, enum store_use use, bool empty)
{
	int version, error = read_version(store, &version);

	if (error)
		return error;
	if (version > STORE_VERSION)
		return fail(store, -EPROTO,
			    "it was written by a newer bannerprobe: use that "
			    "one");
	if (version == STORE_VERSION)
		return 0;
	if (!empty && version < 1)
		return fail(store, -EILSEQ,
			    "it is no inventory, and was left alone");
	if (use == STORE_READ && !empty)
		return fail(store, -EPROTO,
			    "it was written by an older bannerprobe: whatever "
			    "writes to it brings it up to date");
	return bring_up_to_date(store);
}

static int open_database(struct store *store, const char *name, int flags)
{
	int code;

	/*
	 * Each process has one thread, so neither its database nor SQLite's
	 * memory needs locks. From the second database on, the call changes
	 * nothing.
	 */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	code = sqlite3_open_v2(
		name, &store->db,
		flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX, NULL);
	return code == SQLITE_OK ? 0 : store_fail(store, code);
}

/*
 * "./" keeps SQLite from taking a name such as ":memory:" or "file:..." for
 * another file, or for none.
 */
static const char *folder_of(const char *path)
{
	return *path == '/' ? "" : "./";
}

static int open_path(struct store *store, int flags)
{
	char *name;
	int error;

	if (asprintf(&name, "%s%s", folder_of(store->path), store->path) < 0)
		return -ENOMEM;
	error = open_database(store, name, flags);
	free(name);
	return error;
}

/* file:./PATH?immutable=1 */
static char *immutable_name(const char *path)
{
	char *name = malloc(3 * strlen(path) + sizeof("file:./?immutable=1"));
	char *to = name;

	if (!name)
		return NULL;
	to += sprintf(to, "file:%s", folder_of(path));
	for (; *path; path++)
		to += sprintf(to, strchr("?#%", *path) ? "%%%02x" : "%c",
			      (unsigned char)*path);
	strcpy(to, "?immutable=1");
	return name;
}

/* The file may be hostile: SQLite must run nothing that is in its schema. */
static void distrust(struct store *store)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	/* A column of a few bytes can be computed as any number of them. */
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, VALUE_MOST);
}

static int set_up(struct store *store, enum store_use use, bool empty,
		  int busy_ms)
{
	int error;

	sqlite3_busy_timeout(store->db, busy_ms);
	distrust(store);
	error = check_version(store, use, empty);
	if (error || use == STORE_READ)
		return error;
	if (sqlite3_db_readonly(store->db, "main"))
		return store_fail(store, SQLITE_READONLY);
	/* A commit, one a second, is on the disk when it returns. */
	return store_execute(store, "PRAGMA journal_mode = WAL;"
				    "PRAGMA synchronous = FULL;"
				    "PRAGMA journal_size_limit = 16777216;"
				    "PRAGMA cache_size = -16384;"
				    "PRAGMA temp_store = MEMORY");
}

/*
 * For a file in a directory that this process cannot write. If no process has
 * the file open, SQLite can read it as one that does not change.
 */
static int open_immutable(struct store *store)
{
	char *name = immutable_name(store->path);
	int error;

	sqlite3_close(store->db);
	store->db = NULL;
	store->is_still = true;
	if (!name)
		return -ENOMEM;
	error = open_database(store, name,
			      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
	free(name);
	return error ? error : set_up(store, STORE_READ, false, 0);
}

static int open_to_read(struct store *store, bool empty, int busy_ms)
{
	int error;

	/* An empty file is an inventory without services. */
	if (empty) {
		store->is_still = true;
		error = open_database(store, ":memory:", SQLITE_OPEN_READWRITE);
		return error ? error : set_up(store, STORE_READ, true, busy_ms);
	}
	error = open_path(store, SQLITE_OPEN_READONLY);
	if (!error)
		error = set_up(store, STORE_READ, false, busy_ms);
	return error == -EACCES || error == -EROFS ? open_immutable(store) :
						     error;
}

static void note_file(struct store *store)
{
	struct stat status;

	if (stat(store->path, &status))
		return;
	store->device = status.st_dev;
	store->inode = status.st_ino;
}

int store_open(struct store *store, const char *path, enum store_use use,
	       int busy_ms)
{
	bool empty;
	int error;

	*store = (struct store){ .path = strdup(path) };
	if (!store->path)
		return -ENOMEM;
	error = check_library(store);
	if (!error)
		error = check_header(store, use, &empty);
	if (!error)
		error = check_beside(store);
	if (error || use == STORE_TRY)
		return error;
	if (use == STORE_READ)
		error = open_to_read(store, empty, busy_ms);
	else
		error = open_path(
			store,
			SQLITE_OPEN_READWRITE |
				(use == STORE_CREATE ? SQLITE_OPEN_CREATE : 0));
	if (!error && use != STORE_READ)
		error = set_up(store, use, empty, busy_ms);
	if (error) {
		sqlite3_close(store->db);
		store->db = NULL;
	} else {
		note_file(store);
	}
	return error;
}

enum store_place store_look(const struct store *store)
{
	struct stat status;

	if (stat(store->path, &status))
		return errno == ENOENT ? STORE_REMOVED : STORE_SAME;
	return status.st_dev == store->device && status.st_ino == store->inode ?
		       STORE_SAME :
		       STORE_REPLACED;
}

#define BUSY_STEP_MS 10

/* SQLite calls it, `tries` times already; 0: the wait is given up. */
static int wait_for_writer(void *context, int tries)
{
	const struct store *store = context;

	if (*store->stopped || tries >= store->busy_ms / BUSY_STEP_MS)
		return 0;
	usleep(BUSY_STEP_MS * 1000);
	return 1;
}

void store_wait_until(struct store *store, int busy_ms,
		      const volatile sig_atomic_t *stopped)
{
	store->busy_ms = busy_ms;
	store->stopped = stopped;
	sqlite3_busy_handler(store->db, wait_for_writer, store);
}

void store_close(struct store *store)
{
	sqlite3_close(store->db);
	free(store->path);
	store->db = NULL;
	store->path = NULL;
}
