/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What paths of cgroups say of their owners, as real systems have them; pods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "owner/cgroup_ids.h"
#include "owner/cgroup_path.h"
#include "owner/pod_names.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define ID "3f2a91c0b7de0123456789abcdef0123456789abcdef0123456789abcdef0123"
#define OTHER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UID "7e44ee88-1e65-4a16-8cdf-9a90c819180e"
#define UID_ "7e44ee88_1e65_4a16_8cdf_9a90c819180e"
#define HASH "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
#define USER "/user.slice/user-1000.slice/user@1000.service"

static const struct path_case {
	const char *path, *unit, *container, *pod;
	bool claimed;
} path_cases[] = {
	/*
	 * systemd: its docs/CGROUP_DELEGATION.md, and systemd.slice(5),
	 * systemd.scope(5), user@.service(5)
	 */
	{ "/", "", "", "", false },
	{ "/init.scope", "init.scope", "", "", false },
	{ "/system.slice/ssh.service", "ssh.service", "", "", false },
	{ "/system.slice/system-getty.slice/getty@tty1.service",
	  "getty@tty1.service", "", "", false },
	{ "/system.slice/system-postgresql.slice/postgresql@15-main.service",
	  "postgresql@15-main.service", "", "", false },
	{ "/system.slice/system-systemd\\x2dfsck.slice/"
	  "systemd-fsck@dev-disk-by\\x2dlabel-a.service",
	  "systemd-fsck@dev-disk-by\\x2dlabel-a.service", "", "", false },
	{ "/system.slice/ssh.socket", "ssh.socket", "", "", false },
	{ "/system.slice/run-user-1000.mount", "run-user-1000.mount", "", "",
	  false },
	{ "/system.slice/docker.service", "docker.service", "", "", false },
	{ "/system.slice/snap.nextcloud.apache.service",
	  "snap.nextcloud.apache.service", "", "", false },
	{ "/system.slice/systemd-udevd.service/udev", "systemd-udevd.service",
	  "", "", false },
	/*
	 * A "_" before a name that the kernel has a file of: systemd,
	 * src/basic/cgroup-util.c, cg_escape()
	 */
	{ "/system.slice/_memory.service", "memory.service", "", "", false },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "",
	  "", false },
	{ USER "/init.scope", "user@1000.service", "", "", false },
	{ USER "/app.slice/syncthing.service", "user@1000.service", "", "",
	  false },
	/*
	 * docker: moby, daemon/oci_linux.go, which names the cgroup; a scope
	 * is made of that by runc, libcontainer/cgroups/systemd/common.go
	 */
	{ "/system.slice/docker-" ID ".scope", "", "docker:3f2a91c0b7de", "",
	  false },
	{ "/docker/" ID, "", "docker:3f2a91c0b7de", "", false },
	{ "/docker/" ID "/init.scope", "", "docker:3f2a91c0b7de", "", false },
	{ "/limited.slice/docker-" ID ".scope", "", "docker:3f2a91c0b7de", "",
	  false },
	{ USER "/user.slice/docker-" ID ".scope", "user@1000.service",
	  "docker:3f2a91c0b7de", "", true },
	/* docker in docker: the outer one's word */
	{ "/docker/" ID "/docker/" OTHER, "", "docker:3f2a91c0b7de", "",
	  false },
	{ "/system.slice/docker-" ID ".scope/kubelet.slice/"
	  "kubelet-kubepods.slice/kubelet-kubepods-pod" UID_
	  ".slice/cri-containerd-" OTHER ".scope",
	  "", "docker:3f2a91c0b7de", "", false },
	/*
	 * nerdctl: pkg/cmd/container/run_cgroup_linux.go; its ids:
	 * pkg/idgen/idgen.go
	 */
	{ "/system.slice/nerdctl-" ID ".scope", "", "containerd:3f2a91c0b7de",
	  "", false },
	/*
	 * nerdctl and ctr by cgroupfs: /NAMESPACE/ID is containerd's own
	 * default, pkg/oci/spec.go, populateDefaultUnixSpec()
	 */
	{ "/default/" ID, "", "containerd:3f2a91c0b7de", "", false },
	{ "/default/" ID "/init.scope", "", "containerd:3f2a91c0b7de", "",
	  false },
	{ "/k8s.io/" ID, "", "containerd:3f2a91c0b7de", "", false },
	{ "/default/" ID "/docker/" OTHER, "", "containerd:3f2a91c0b7de", "",
	  false },
	/* ctr's user may choose an id; only such a one tells that it is one. */
	{ "/default/redis", "", "", "", false },
	{ "/default/" ID "0", "", "", "", false },
	/* docker's --cgroup-parent, or a namespace: not known which. */
	{ "/web/" ID, "", "", "", false },
	/* Not the beginning of a path. */
	{ "/a/default/" ID, "", "", "", false },
	{ "/system.slice/a.service/default/" ID, "a.service", "", "", false },
	/*
	 * containerd for the kubelet: internal/cri/server/podsandbox/
	 * helpers_linux.go. The pod's slice is the kubelet's: Kubernetes,
	 * pkg/kubelet/cm/cgroup_manager_linux.go,
	 * pod_container_manager_linux.go
	 */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	  ".slice/cri-containerd-" ID ".scope",
	  "", "containerd:3f2a91c0b7de", UID, false },
	{ "/kubepods.slice/kubepods-besteffort.slice/"
	  "kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" ID ".scope",
	  "", "containerd:3f2a91c0b7de", UID, false },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID
	  ".scope",
	  "", "containerd:3f2a91c0b7de", UID, false },
	/*
	 * a static pod, a hash in place of a uid: Kubernetes,
	 * pkg/kubelet/config/common.go
	 */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH
	  ".slice/cri-containerd-" ID ".scope",
	  "", "containerd:3f2a91c0b7de", HASH, false },
	/* the kubelet's --cgroup-root */
	{ "/kubelet.slice/kubelet-kubepods.slice/"
	  "kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" UID_
	  ".slice/cri-containerd-" ID ".scope",
	  "", "containerd:3f2a91c0b7de", UID, false },
	{ "/kubelet/kubepods/burstable/pod" UID "/" ID, "", "cri:3f2a91c0b7de",
	  UID, false },
	/* containerd without SystemdCgroup, under a kubelet with it */
	{ "/system.slice/containerd.service/kubepods-burstable-pod" UID_
	  ".slice:cri-containerd:" ID,
	  "containerd.service", "containerd:3f2a91c0b7de", UID, true },
	{ "/kubepods-besteffort-pod" UID_ ".slice:cri-containerd:" ID, "",
	  "containerd:3f2a91c0b7de", UID, false },
	/* The pod, too, is the first one on the path. */
	{ "/kubepods/pod" HASH "/kubepods-pod" UID_ ".slice:crio:" ID, "",
	  "crio:3f2a91c0b7de", HASH, false },
	/* kubepods by cgroupfs: the same files */
	{ "/kubepods/burstable/pod" UID "/" ID, "", "cri:3f2a91c0b7de", UID,
	  false },
	{ "/kubepods/besteffort/pod" UID "/" ID, "", "cri:3f2a91c0b7de", UID,
	  false },
	{ "/kubepods/pod" UID "/" ID, "", "cri:3f2a91c0b7de", UID, false },
	{ "/kubepods/burstable/pod" HASH "/" ID, "", "cri:3f2a91c0b7de", HASH,
	  false },
	/* dockershim, cri-dockerd: docker's form below the kubelet's */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	  ".slice/docker-" ID ".scope",
	  "", "docker:3f2a91c0b7de", UID, false },
	/* CRI-O: internal/config/cgmgr/systemd_linux.go, cgroupfs_linux.go */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	  ".slice/crio-" ID ".scope",
	  "", "crio:3f2a91c0b7de", UID, false },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID
	  ".scope/container",
	  "", "crio:3f2a91c0b7de", UID, false },
	{ "/kubepods/burstable/pod" UID "/crio-" ID, "", "crio:3f2a91c0b7de",
	  UID, false },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope",
	  "crio-conmon-" ID ".scope", "", UID, true },
	/* a pod's cgroup, and no container of it */
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice", "", "", UID, false },
	/*
	 * podman: libpod/container.go (its parents),
	 * libpod/container_internal_linux.go (also --cgroups=split); a real
	 * one is tried by tests/vm/containers
	 */
	{ "/machine.slice/libpod-" ID ".scope", "", "podman:3f2a91c0b7de", "",
	  false },
	{ "/machine.slice/libpod-" ID ".scope/container", "",
	  "podman:3f2a91c0b7de", "", false },
	{ "/machine.slice/machine-libpod_pod_" OTHER ".slice/libpod-" ID
	  ".scope",
	  "", "podman:3f2a91c0b7de", "", false },
	{ "/libpod_parent/libpod-" ID, "", "podman:3f2a91c0b7de", "", false },
	{ "/machine.slice/libpod-conmon-" ID ".scope",
	  "libpod-conmon-" ID ".scope", "", "", false },
	{ "/system.slice/web.service/libpod-payload-" ID, "web.service",
	  "podman:3f2a91c0b7de", "", true },
	{ "/system.slice/web.service/runtime", "web.service", "", "", false },
	{ USER "/user.slice/libpod-" ID ".scope/container", "user@1000.service",
	  "podman:3f2a91c0b7de", "", true },
	{ USER "/user.slice/user-libpod_pod_" OTHER ".slice/libpod-" ID
	       ".scope",
	  "user@1000.service", "podman:3f2a91c0b7de", "", true },
	{ USER "/app.slice/redis.service/libpod-payload-" ID,
	  "user@1000.service", "podman:3f2a91c0b7de", "", true },
	/*
	 * systemd-nspawn: systemd, src/nspawn/nspawn-cgroup.c and
	 * src/machine/machine.c. Machines that are none: libvirt,
	 * src/util/virsystemd.c, virSystemdMakeScopeName()
	 */
	{ "/machine.slice/systemd-nspawn@debian.service/payload/system.slice/"
	  "ssh.service",
	  "systemd-nspawn@debian.service", "nspawn:debian", "", false },
	{ "/machine.slice/systemd-nspawn@web\\x2d1.service/payload",
	  "systemd-nspawn@web\\x2d1.service", "nspawn:web-1", "", false },
	{ "/machine.slice/machine-web\\x2d1.scope/payload", "", "nspawn:web-1",
	  "", false },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
	  "machine-qemu\\x2d1\\x2dvm.scope", "", "", false },
	{ "/machine.slice/machine-lxc\\x2d4242\\x2dweb.scope",
	  "machine-lxc\\x2d4242\\x2dweb.scope", "", "", false },
	/*
	 * LXC, which Incus and LXD use: src/lxc/cgroups/cgroup.h, cgfsng.c.
	 * Proxmox: pve-container, src/PVE/LXC.pm
	 */
	{ "/lxc.payload.web/system.slice/nginx.service", "", "lxc:web", "",
	  false },
	{ "/lxc.payload/web/init.scope", "", "lxc:web", "", false },
	{ "/lxc/101/ns/system.slice/ssh.service", "", "lxc:101", "", false },
	{ "/lxc.monitor.web", "", "", "", false },
	{ USER "/user.slice/lxc.payload.u1/init.scope", "user@1000.service",
	  "lxc:u1", "", true },
	/* without systemd: OpenRC, sh/rc-cgroup.sh */
	{ "/openrc.sshd", "", "", "", false },
	/* Forged: below a delegated cgroup the names are its owner's. */
	{ USER "/app.slice/ssh.service", "user@1000.service", "", "", false },
	{ USER "/system.slice/ssh.service", "user@1000.service", "", "",
	  false },
	{ USER "/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID
	       ".scope",
	  "user@1000.service", "containerd:3f2a91c0b7de", UID, true },
	{ USER "/kubepods/pod" UID "/" ID, "user@1000.service",
	  "cri:3f2a91c0b7de", UID, true },
	{ "/machine.slice/libpod-" ID ".scope/kubepods.slice/kubepods-pod" UID_
	  ".slice/crio-" OTHER ".scope",
	  "", "podman:3f2a91c0b7de", "", false },
	/* Nearly one: too short, too long, upper case, bytes that none has. */
	{ "/system.slice/docker-3f2a91c0b7de.scope",
	  "docker-3f2a91c0b7de.scope", "", "", false },
	{ "/system.slice/docker-" ID "0.scope", "docker-" ID "0.scope", "", "",
	  false },
	{ "/docker/3F2A91c0b7de0123456789abcdef0123456789abcdef0123456789ab"
	  "cdef0123",
	  "", "", "", false },
	{ "/other/" ID, "", "", "", false },
	{ "/" ID, "", "", "", false },
	{ "/kubepods/burstable/podX" UID "/" ID, "", "", "", false },
	{ "/kubepods.slice/kubepods-pod" UID_ "0.slice/cri-containerd-" ID
	  ".scope",
	  "", "containerd:3f2a91c0b7de", "", false },
	{ "/akubepods-pod" UID_ ".slice", "", "", "", false },
	{ "/system.slice/a b.service", "", "", "", false },
	{ "/system.slice/\033[31m.service", "", "", "", false },
	{ "/system.slice/.service", "", "", "", false },
	{ "/system.slice/x.service\n", "", "", "", false },
	{ "/lxc.payload.", "", "", "", false },
	{ "/lxc.payload.a\\x2fb", "", "", "", false },
	{ "/lxc.payload.a\\x0ab", "", "", "", false },
	{ "/machine.slice/machine-.scope", "machine-.scope", "", "", false },
	{ "/lxc.payload.aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
	  "ffffffffffggggg",
	  "", "", "", false },
	{ "", "", "", "", false },
	{ "//system.slice///cron.service//", "cron.service", "", "", false },
	{ "system.slice/cron.service", "cron.service", "", "", false },
	{ "/..", "", "", "", false },
	{ "/_", "", "", "", false },
};

static void test_paths(void **state)
{
	struct cgroup_owner owner;

	(void)state;
	for (size_t i = 0; i < COUNT(path_cases); i++) {
		const struct path_case *one = &path_cases[i];

		cgroup_path_read(&owner, one->path);
		if (strcmp(owner.unit, one->unit) ||
		    strcmp(owner.container, one->container) ||
		    strcmp(owner.pod, one->pod) ||
		    owner.claimed != one->claimed)
			fail_msg("%s: unit \"%s\", container \"%s\", pod "
				 "\"%s\", claimed %d",
				 one->path, owner.unit, owner.container,
				 owner.pod, owner.claimed);
	}
}

/* A unit's name has at most 255 bytes, as systemd has it. */
static void test_long_names(void **state)
{
	struct cgroup_owner owner;
	char path[4096] = "/system.slice/";
	const size_t start = strlen(path);

	(void)state;
	for (size_t len = 200; len < 400; len++) {
		memset(path + start, 'a', len);
		strcpy(path + start + len - strlen(".service"), ".service");
		cgroup_path_read(&owner, path);
		assert_int_equal(strlen(owner.unit), len < 256 ? len : 0);
	}
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	cgroup_path_read(&owner, path);
	assert_string_equal(owner.unit, "");
}

/* Each prefix of each path, and each with one byte changed: under ASan. */
static void test_broken_paths(void **state)
{
	struct cgroup_owner owner;
	uint32_t chance = 1;

	(void)state;
	for (size_t i = 0; i < COUNT(path_cases); i++) {
		const size_t len = strlen(path_cases[i].path);

		for (size_t cut = 0; cut <= len; cut++) {
			char *path = strndup(path_cases[i].path, cut);

			assert_non_null(path);
			cgroup_path_read(&owner, path);
			for (size_t at = 0; at < cut; at++) {
				const char was = path[at];

				chance = chance * 1664525 + 1013904223;
				path[at] = (char)(chance >> 24 | 1);
				cgroup_path_read(&owner, path);
				path[at] = was;
			}
			for (const char *c = owner.unit; *c; c++)
				assert_true(*c >= ' ' && *c <= '~');
			free(path);
		}
	}
}

/* --- cgroups ---------------------------------------------------------------*/

static void test_no_cgroups(void **state)
{
	struct cgroup_ids *ids = cgroup_ids_open("/nonexistent", 0);

	(void)state;
	assert_non_null(ids);
	assert_non_null(cgroup_ids_reason(ids));
	assert_null(cgroup_ids_find(ids, 1));
	cgroup_ids_close(ids);
	/* A directory, but of another file system. */
	ids = cgroup_ids_open("/tmp", 0);
	assert_non_null(ids);
	assert_non_null(cgroup_ids_reason(ids));
	assert_null(cgroup_ids_find(ids, 1));
	cgroup_ids_close(ids);
}

/* --- pods ------------------------------------------------------------------*/

static void make(const char *folder, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void test_pod_names(void **state)
{
	char folder[] = "/tmp/owner_test.XXXXXX";
	char command[64];
	struct pod_names *names;

	(void)state;
	assert_non_null(mkdtemp(folder));
	make(folder, "default_web-0_" UID);
	make(folder, "kube-system_etcd-node1.example_" HASH);
	make(folder, "a_b_c_7e44ee88-1e65-4a16-8cdf-9a90c8191801");
	make(folder, "A_b_7e44ee88-1e65-4a16-8cdf-9a90c8191802");
	make(folder, "_b_7e44ee88-1e65-4a16-8cdf-9a90c8191803");
	make(folder, "a__7e44ee88-1e65-4a16-8cdf-9a90c8191804");
	make(folder, "a\033b_c_7e44ee88-1e65-4a16-8cdf-9a90c8191805");
	make(folder, "nothing");
	names = pod_names_open(folder);
	assert_non_null(names);
	assert_null(pod_names_reason(names));
	assert_string_equal(pod_names_find(names, UID), "default/web-0");
	assert_string_equal(pod_names_find(names, HASH),
			    "kube-system/etcd-node1.example");
	for (char digit = '1'; digit <= '5'; digit++) {
		char uid[] = "7e44ee88-1e65-4a16-8cdf-9a90c8191800";

		uid[sizeof(uid) - 2] = digit;
		assert_null(pod_names_find(names, uid));
	}
	assert_null(pod_names_find(names, ""));
	pod_names_close(names);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
	names = pod_names_open("/nonexistent");
	assert_non_null(names);
	assert_non_null(pod_names_reason(names));
	assert_null(pod_names_find(names, UID));
	pod_names_close(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_broken_paths),
		cmocka_unit_test(test_no_cgroups),
		cmocka_unit_test(test_pod_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
