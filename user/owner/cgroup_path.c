/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup_path.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ID_DIGITS 64	/* of a container's id */
#define ID_SHOWN 12	/* digits of it that are reported */
#define UID_DIGITS 32	/* of a pod's uid */
#define UID_DASHES 4	/* between them */
#define NAME_LONGEST 64 /* of a container's name: that of a host */

/* Part of a path: a component, or a part of one. */
struct part {
	const char *at;
	size_t len;
};

/*
 * The forms of a container's cgroup, in the order in which they are tried. A
 * form is a component of the path, or two where it has a slash between them.
 * One that begins with a slash is the beginning of the path. In capitals:
 *
 *	ID	64 hexadecimal digits
 *	NAME	the rest, a container's name; \x2d is unescaped
 *	POD	the cgroup of a pod, below a kubepods
 *	SLICE	the name of a slice, which may be a pod's
 *
 * The runtime is named as its command-line tools are. Where the kubelet's
 * cgroupfs driver names no runtime it is "cri", for the kubelet's interface to
 * runtimes.
 */
static const struct form {
	const char *pattern;
	const char *runtime;
} forms[] = {
	/* The systemd driver: a scope. */
	{ "docker-ID.scope", "docker" },
	{ "cri-containerd-ID.scope", "containerd" },
	{ "nerdctl-ID.scope", "containerd" },
	{ "crio-ID.scope", "crio" },
	{ "libpod-ID.scope", "podman" },
	/* The cgroupfs driver: a directory. */
	{ "docker/ID", "docker" },
	/*
	 * containerd's default outside of pods: its namespace, and the id.
	 * docker's --cgroup-parent leads to such a path, too, so that only the
	 * namespaces are taken which containerd's own tools use.
	 */
	{ "/default/ID", "containerd" },
	{ "/k8s.io/ID", "containerd" },
	{ "POD/ID", "cri" },
	{ "crio-ID", "crio" },
	{ "libpod-ID", "podman" },
	/* podman --cgroups=split, as Quadlet's services use it. */
	{ "libpod-payload-ID", "podman" },
	/* A runtime with the cgroupfs driver that got a systemd name. */
	{ "SLICE:docker:ID", "docker" },
	{ "SLICE:cri-containerd:ID", "containerd" },
	{ "SLICE:nerdctl:ID", "containerd" },
	{ "SLICE:crio:ID", "crio" },
	{ "SLICE:libpod:ID", "podman" },
	/* LXC 4 and later, Incus, LXD; LXC before 4, Proxmox. */
	{ "lxc.payload.NAME", "lxc" },
	{ "lxc.payload/NAME", "lxc" },
	{ "lxc/NAME", "lxc" },
	/* systemd-nspawn: its template unit, or the scope that it registers. */
	{ "systemd-nspawn@NAME.service", "nspawn" },
	{ "machine-NAME.scope", "nspawn" },
};

/* machine-NAME.scope of other managers: libvirt's. */
static const char *const other_machines[] = { "qemu-", "lxc-", "libvirt-" };

static const char *const unit_types[] = { ".service", ".scope", ".socket",
					  ".mount", ".swap" };

/* --- characters ------------------------------------------------------------*/

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool all_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_hex(text[i]))
			return false;
	}
	return true;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

static bool starts_with(struct part part, const char *text)
{
	size_t len = strlen(text);

	return part.len >= len && !memcmp(part.at, text, len);
}

static bool ends_with(struct part part, const char *text)
{
	size_t len = strlen(text);

	return part.len >= len && !memcmp(part.at + part.len - len, text, len);
}

static bool equals(struct part part, const char *text)
{
	return part.len == strlen(text) && starts_with(part, text);
}

/* --- units -----------------------------------------------------------------*/

/* The characters that systemd allows in a unit's name, and its length. */
static bool is_unit_name(struct part part, const char *suffix)
{
	if (!ends_with(part, suffix) || part.len == strlen(suffix) ||
	    part.len >= CGROUP_UNIT)
		return false;
	for (size_t i = 0; i < part.len; i++) {
		if (!is_alphanumeric(part.at[i]) &&
		    (!part.at[i] || !strchr(":-_.\\@", part.at[i])))
			return false;
	}
	return true;
}

static bool is_slice(struct part part)
{
	return is_unit_name(part, ".slice");
}

static bool is_unit(struct part part)
{
	for (size_t i = 0; i < COUNT(unit_types); i++) {
		if (is_unit_name(part, unit_types[i]))
			return true;
	}
	return false;
}

/* --- pods ------------------------------------------------------------------*/

bool pod_uid_is_valid(const char *uid, size_t len)
{
	static const uint8_t dashes[UID_DASHES] = { 8, 13, 18, 23 };

	if (len == UID_DIGITS)
		return all_hex(uid, len);
	if (len != UID_DIGITS + UID_DASHES)
		return false;
	for (size_t i = 0, dash = 0; i < len; i++) {
		if (dash < UID_DASHES && i == dashes[dash]) {
			if (uid[i] != '-')
				return false;
			dash++;
		} else if (!is_hex(uid[i])) {
			return false;
		}
	}
	return true;
}

/* A slice's name has an underscore for each dash of the uid. */
static bool read_pod_uid(struct cgroup_owner *owner, struct part uid)
{
	char text[CGROUP_POD];

	if (uid.len >= sizeof(text))
		return false;
	for (size_t i = 0; i < uid.len; i++)
		text[i] = uid.at[i] == '_' ? '-' : uid.at[i];
	text[uid.len] = '\0';
	if (!pod_uid_is_valid(text, uid.len))
		return false;
	memcpy(owner->pod, text, uid.len + 1);
	return true;
}

static const char *find(struct part part, const char *text)
{
	return memmem(part.at, part.len, text, strlen(text));
}

static const char *find_last(struct part part, const char *text)
{
	const char *last = NULL, *next;

	while ((next = find(part, text))) {
		last = next;
		part.len -= (size_t)(next + 1 - part.at);
		part.at = next + 1;
	}
	return last;
}

/* kubepods-burstable-podUID.slice; a cgroup root of the kubelet comes first. */
static void read_pod_slice(struct cgroup_owner *owner, struct part slice)
{
	const char *kubepods = find(slice, "kubepods");
	const char *pod = find_last(slice, "-pod");
	struct part uid;

	if (!kubepods || !pod || (kubepods > slice.at && kubepods[-1] != '-'))
		return;
	uid.at = pod + strlen("-pod");
	uid.len = (size_t)(slice.at + slice.len - uid.at) - strlen(".slice");
	read_pod_uid(owner, uid);
}

/* --- containers ------------------------------------------------------------*/

/* The state of reading a path. */
struct reading {
	struct cgroup_owner *owner;
	struct part part, parent;
	unsigned int depth; /* of the part: 0 is the first */
	bool below_kubepods;
	bool in_pod; /* the parent is a pod's cgroup */
};

/* The parts of a component that a pattern's capitals stand for. */
struct capture {
	struct part id, name, slice;
};

static const char *skip_literal(const char *pattern)
{
	while (*pattern && !(*pattern >= 'A' && *pattern <= 'Z'))
		pattern++;
	return pattern;
}

static bool take_literal(const char **pattern, struct part *rest)
{
	const char *end = skip_literal(*pattern);
	size_t len = (size_t)(end - *pattern);

	if (rest->len < len || memcmp(rest->at, *pattern, len))
		return false;
	*pattern = end;
	rest->at += len;
	rest->len -= len;
	return true;
}

static bool take(struct part *to, struct part *rest, size_t len)
{
	*to = (struct part){ rest->at, len };
	rest->at += len;
	rest->len -= len;
	return true;
}

static bool take_word(const char **pattern, struct part *rest,
		      struct capture *capture)
{
	const struct part word = { *pattern, strlen(*pattern) };
	const char *end;

	if (starts_with(word, "ID")) {
		*pattern += strlen("ID");
		return rest->len >= ID_DIGITS && all_hex(rest->at, ID_DIGITS) &&
		       take(&capture->id, rest, ID_DIGITS);
	}
	if (starts_with(word, "SLICE")) {
		*pattern += strlen("SLICE");
		end = find(*rest, ".slice:");
		return end && take(&capture->slice, rest,
				   (size_t)(end - rest->at) + strlen(".slice"));
	}
	/* A name: all but what follows it in the pattern. */
	*pattern += strlen("NAME");
	return rest->len > strlen(*pattern) &&
	       take(&capture->name, rest, rest->len - strlen(*pattern));
}

static bool component_matches(const char *pattern, struct part rest,
			      struct capture *capture)
{
	while (*pattern) {
		if (!take_literal(&pattern, &rest))
			return false;
		if (*pattern && !take_word(&pattern, &rest, capture))
			return false;
	}
	return !rest.len;
}

static bool form_matches(const char *pattern, const struct reading *reading,
			 struct capture *capture)
{
	const bool begins = *pattern == '/';
	const char *first = pattern + begins, *slash = strchr(first, '/');
	const struct part head = { first, slash ? (size_t)(slash - first) : 0 };

	*capture = (struct capture){};
	if (begins && reading->depth != 1)
		return false;
	if (!slash)
		return component_matches(pattern, reading->part, capture);
	if (equals(head, "POD")) {
		if (!reading->in_pod)
			return false;
	} else if (reading->parent.len != head.len ||
		   memcmp(reading->parent.at, head.at, head.len)) {
		return false;
	}
	return component_matches(slash + 1, reading->part, capture);
}

static int hex_value(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* systemd writes bytes that a unit's name cannot have as \xhh. */
static bool unescape(char *to, size_t size, struct part name)
{
	size_t len = 0;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (c == '\\' && i + 3 < name.len && name.at[i + 1] == 'x' &&
		    all_hex(name.at + i + 2, 2)) {
			c = (char)(hex_value(name.at[i + 2]) << 4 |
				   hex_value(name.at[i + 3]));
			i += 3;
		}
		if (len + 1 >= size ||
		    (!is_alphanumeric(c) && (!c || !strchr("-_.", c))))
			return false;
		to[len++] = c;
	}
	to[len] = '\0';
	return len;
}

static bool is_other_machine(const char *name)
{
	for (size_t i = 0; i < COUNT(other_machines); i++) {
		if (!strncmp(name, other_machines[i],
			     strlen(other_machines[i])))
			return true;
	}
	return false;
}

static bool write_container(struct cgroup_owner *owner, const char *runtime,
			    const struct capture *capture)
{
	char name[NAME_LONGEST + 1];

	if (capture->id.len) {
		snprintf(owner->container, sizeof(owner->container), "%s:%.*s",
			 runtime, ID_SHOWN, capture->id.at);
		return true;
	}
	if (!unescape(name, sizeof(name), capture->name) ||
	    is_other_machine(name))
		return false;
	snprintf(owner->container, sizeof(owner->container), "%s:%s", runtime,
		 name);
	return true;
}

static bool read_container(struct reading *reading)
{
	struct capture capture;

	for (size_t i = 0; i < COUNT(forms); i++) {
		if (!form_matches(forms[i].pattern, reading, &capture))
			continue;
		if (!write_container(reading->owner, forms[i].runtime,
				     &capture))
			continue;
		if (capture.slice.len && !reading->owner->pod[0])
			read_pod_slice(reading->owner, capture.slice);
		return true;
	}
	return false;
}

/* --- paths -----------------------------------------------------------------*/

static void copy_unit(struct cgroup_owner *owner, struct part part)
{
	memcpy(owner->unit, part.at, part.len);
	owner->unit[part.len] = '\0';
}

static bool has_claims(const struct cgroup_owner *owner)
{
	return owner->unit[0] && (owner->container[0] || owner->pod[0]);
}

/* False: a container was found. Cgroups inside it are not read. */
static bool read_component(struct reading *reading)
{
	struct cgroup_owner *owner = reading->owner;
	const struct part part = reading->part;

	if (read_container(reading)) {
		owner->claimed = owner->unit[0];
		/* nspawn's template is a unit that root starts and stops. */
		if (!owner->unit[0] && is_unit_name(part, ".service"))
			copy_unit(owner, part);
		return false;
	}
	reading->in_pod = false;
	if (is_slice(part)) {
		if (!owner->pod[0])
			read_pod_slice(owner, part);
		reading->in_pod = owner->pod[0];
	} else if (!owner->unit[0] && is_unit(part)) {
		copy_unit(owner, part);
	} else if (equals(part, "kubepods")) {
		reading->below_kubepods = true;
	} else if (reading->below_kubepods && starts_with(part, "pod") &&
		   !owner->pod[0]) {
		reading->in_pod = read_pod_uid(
			owner, (struct part){ part.at + 3, part.len - 3 });
	}
	owner->claimed = has_claims(owner);
	return true;
}

void cgroup_path_read(struct cgroup_owner *owner, const char *path)
{
	struct reading reading = { .owner = owner, .parent = { path, 0 } };

	*owner = (struct cgroup_owner){};
	while (*path) {
		size_t len = strcspn(path, "/");

		reading.part = (struct part){ path, len };
		/*
		 * systemd puts "_" before names that the kernel's own files
		 * have.
		 */
		if (len && *path == '_')
			reading.part = (struct part){ path + 1, len - 1 };
		if (len && !read_component(&reading))
			return;
		if (len) {
			reading.parent = reading.part;
			reading.depth++;
		}
		path += len + (path[len] == '/');
	}
}
