/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pod_names.h"

#include "system/hash_table.h"
#include "cgroup_path.h"
#include "pace.h"

#include <dirent.h>
#include <string.h>

#define DIRECTORY "/var/log/pods"
#define NAMESPACE_LONGEST 63 /* a DNS label */
#define NAME_LONGEST 253     /* a DNS name */
#define NAME_SIZE (NAMESPACE_LONGEST + 1 + NAME_LONGEST + 1)
#define READ_MAX 65536 /* entries of the directory in one reading */

struct pod {
	char uid[CGROUP_POD];
	char name[NAME_SIZE];
	UT_hash_handle hh;
	bool failed; /* no memory to add it */
};

struct pod_names {
	DIR *directory; /* kept open: later it may be forbidden; or NULL */
	struct pace pace;
	struct pod *pods;
};

struct pod_names *pod_names_open(const char *directory)
{
	struct pod_names *names = calloc(1, sizeof(*names));

	if (names)
		names->directory = opendir(directory ? directory : DIRECTORY);
	return names;
}

static void forget_all(struct pod_names *names)
{
	struct pod *pod, *next;

	HASH_ITER(hh, names->pods, pod, next)
	{
		HASH_DEL(names->pods, pod);
		free(pod);
	}
}

void pod_names_close(struct pod_names *names)
{
	if (!names)
		return;
	forget_all(names);
	if (names->directory)
		closedir(names->directory);
	free(names);
}

static bool is_dns_name(const char *name, size_t len, size_t longest)
{
	if (!len || len > longest)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.')
			return false;
	}
	return true;
}

/* "_" separates, as no DNS name contains it. False: not a pod's directory. */
static bool read_entry(struct pod *pod, const char *entry)
{
	const char *name = strchr(entry, '_');
	const char *uid = name ? strchr(name + 1, '_') : NULL;
	size_t namespace_len, name_len;

	if (!uid || !pod_uid_is_valid(uid + 1, strlen(uid + 1)))
		return false;
	namespace_len = (size_t)(name - entry);
	name_len = (size_t)(uid - name - 1);
	if (!is_dns_name(entry, namespace_len, NAMESPACE_LONGEST) ||
	    !is_dns_name(name + 1, name_len, NAME_LONGEST))
		return false;
	strcpy(pod->uid, uid + 1);
	memcpy(pod->name, entry, namespace_len);
	pod->name[namespace_len] = '/';
	memcpy(pod->name + namespace_len + 1, name + 1, name_len);
	pod->name[namespace_len + 1 + name_len] = '\0';
	return true;
}

static struct pod *recall(const struct pod_names *names, const char *uid)
{
	struct pod *pod;

	HASH_FIND_STR(names->pods, uid, pod);
	return pod;
}

static void remember(struct pod_names *names, const char *entry)
{
	struct pod read = {}, *pod;

	if (HASH_COUNT(names->pods) >= POD_NAMES_MAX ||
	    !read_entry(&read, entry) || recall(names, read.uid))
		return;
	pod = malloc(sizeof(*pod));
	if (!pod)
		return;
	*pod = read;
	HASH_ADD_STR(names->pods, uid, pod);
	if (pod->failed)
		free(pod);
}

static void read_directory(struct pod_names *names)
{
	const struct dirent *entry;

	forget_all(names);
	rewinddir(names->directory);
	for (int i = 0; i < READ_MAX && (entry = readdir(names->directory));
	     i++)
		remember(names, entry->d_name);
}

const char *pod_names_find(struct pod_names *names, const char *uid)
{
	const struct pod *pod = recall(names, uid);

	if (!pod && names->directory &&
	    pace_is_due(&names->pace, monotonic_ns())) {
		pace_begin(&names->pace);
		read_directory(names);
		pace_end(&names->pace);
		pod = recall(names, uid);
	}
	return pod ? pod->name : NULL;
}

const char *pod_names_reason(const struct pod_names *names)
{
	return names->directory ?
		       NULL :
		       "/var/log/pods cannot be read: names of pods are not "
		       "known";
}
