#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Installs from Debian what building and testing need and is missing, and the
# packages that are named as arguments; on another system names what is
# missing. Run by `make deps`.
set -eu

packages='gcc libc6-dev make clang libclang-rt-dev bpftool libbpf-dev libelf-dev
libsqlite3-dev libjson-c-dev libmnl-dev libcap-ng-dev libseccomp-dev nettle-dev zlib1g-dev libzstd-dev uthash-dev libpcre2-dev libexpat1-dev libcmocka-dev python3
python3-pytest python3-pytest-xdist python3-scapy python3-yaml iproute2 nftables util-linux strace openssh-server
openssh-client zstd mandoc logrotate systemd bash-completion'

# Debian asks this program whether a new package may start its service.
policy=/usr/sbin/policy-rc.d

commands='cc make clang bpftool python3 ip tc nft strace ssh zstd mandoc logrotate systemd-analyze'
headers='bpf/libbpf.h gelf.h libmnl/libmnl.h cap-ng.h seccomp.h nettle/sha1.h
zlib.h zstd.h uthash.h expat.h pcre2posix.h cmocka.h sqlite3.h json-c/json.h'

# Those of the named packages that are not installed.
missing_of() {
	for package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || printf ' %s' "$package"
	done
}

install_on_debian() {
	# shellcheck disable=SC2086
	missing=$(missing_of $packages "$@")
	[ -n "$missing" ] || return 0
	# Of several builds that install at once, each waits for the one before.
	exec 9<"$0"
	flock -w 1800 9 || {
		echo "deps: another build has been installing for half an hour" >&2
		exit 1
	}
	# shellcheck disable=SC2086
	missing=$(missing_of $missing)
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "deps: missing, run as root to install:$missing" >&2
		exit 1
	fi
	echo "deps: installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# A server is for the tests, which start it themselves.
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	# Another program's apt is waited for, too, for so many seconds.
	# shellcheck disable=SC2086
	apt-get install -y -qq -o DPkg::Lock::Timeout=600 --no-install-recommends $missing >/dev/null
}

name_missing() {
	missing=
	PATH=$PATH:/usr/sbin:/sbin
	for command in $commands; do
		command -v "$command" >/dev/null || missing="$missing $command"
	done
	for header in $headers; do
		echo "#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <$header>" | cc -E -x c - >/dev/null 2>&1 ||
			missing="$missing $header"
	done
	[ -n "$missing" ] || return 0
	echo "deps: not a Debian system; missing:$missing" >&2
	exit 1
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
	install_on_debian "$@"
else
	name_missing
fi
