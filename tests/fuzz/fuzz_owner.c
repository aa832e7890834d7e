/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes what is read of a cgroup's path. An input is a path, of any bytes. "I"
 * stands for a container's id in it, and "U" and "V" for a pod's, since the
 * fuzzer would find none. What a path says is printable, is not changed by
 * anything further down, and is marked as a claim where a unit stands before
 * it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "owner/cgroup_path.h"

#define PATH_ROOM 4096
#define BEGINNINGS 4 /* one of so many is tried */
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID_AS_NAMED "7e44ee88-1e65-4a16-8cdf-9a90c819180e"
#define UID_IN_SLICE "00112233_4455_6677_8899_aabbccddeeff"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void require_text(const char *text, size_t room)
{
	require(memchr(text, 0, room));
	for (; *text; text++)
		require(*text > ' ' && *text <= '~' && *text != '/');
}

static void check(const struct cgroup_owner *owner)
{
	const char *colon = strchr(owner->container, ':');

	require_text(owner->unit, sizeof(owner->unit));
	require_text(owner->container, sizeof(owner->container));
	require_text(owner->pod, sizeof(owner->pod));
	require(!*owner->container ||
		(colon && colon > owner->container && colon[1]));
	require(!*owner->pod ||
		pod_uid_is_valid(owner->pod, strlen(owner->pod)));
	require(!owner->claimed || *owner->unit);
}

/* What the beginning of a path says, the whole says, too. */
static void check_beginning(const struct cgroup_owner *whole, const char *path,
			    size_t len)
{
	char beginning[PATH_ROOM];
	struct cgroup_owner owner;

	memcpy(beginning, path, len);
	beginning[len] = 0;
	cgroup_path_read(&owner, beginning);
	require(!*owner.unit || !strcmp(owner.unit, whole->unit));
	require(!*owner.container ||
		!strcmp(owner.container, whole->container));
	require(!*owner.pod || !strcmp(owner.pod, whole->pod));
	/* The unit came first, so what was added is its claim. */
	require(!*owner.unit || *owner.container || *owner.pod ||
		!(*whole->container || *whole->pod) || whole->claimed);
}

static const char *meaning_of(uint8_t byte)
{
	return byte == 'I' ? ID :
	       byte == 'U' ? UID_AS_NAMED :
	       byte == 'V' ? UID_IN_SLICE :
			     NULL;
}

/* Writes the path that an input stands for; its length. */
static size_t expand(char path[PATH_ROOM], const uint8_t *data, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < size; i++) {
		const char *meaning = meaning_of(data[i]);
		const size_t more = meaning ? strlen(meaning) : 1;

		if (!data[i] || len + more >= PATH_ROOM)
			break;
		memcpy(path + len, meaning ? meaning : (const char *)&data[i],
		       more);
		len += more;
	}
	path[len] = 0;
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char expanded[PATH_ROOM];
	const size_t len = expand(expanded, data, size);
	const char *path = (const char *)guarded_copy(0, expanded, len + 1);
	struct cgroup_owner owner;
	size_t slashes = size;

	cgroup_path_read(&owner, path);
	check(&owner);
	for (size_t at = 0; at < len; at++) {
		if (path[at] == '/' && ++slashes % BEGINNINGS == 0)
			check_beginning(&owner, path, at);
	}
	return 0;
}
