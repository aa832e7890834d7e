#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Unpacks the libraries and headers of another kind of machine into a folder, for `make ARCH=...`,
# and installs what compiles for it and runs its programs here. This machine's own packages stay.
set -eu

arch=$1 triplet=$2 sysroot=$3
packages='libc6-dev libbpf-dev libelf-dev libsqlite3-dev libjson-c-dev libmnl-dev libcap-ng-dev
libseccomp-dev nettle-dev zlib1g-dev libzstd-dev libpcre2-dev libexpat1-dev uthash-dev libcmocka-dev
libasan8 libubsan1 bpftool busybox-static iproute2'

if ! command -v dpkg >/dev/null; then
	echo "sysroot: not a Debian system, whose packages it is made of" >&2
	exit 1
fi
"$(dirname "$0")"/deps.sh mmdebstrap qemu-user-static pkg-config \
	"$(echo "gcc-$triplet" | tr _ -)" "libc6-dev-$arch-cross"

# The same Debian from the same mirror, so that the libraries are as old as those here.
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
mkdir -p "$(dirname "$sysroot")"
rm -rf "$sysroot" "$sysroot.new"
# shellcheck disable=SC2086
mmdebstrap --quiet --variant=extract --format=directory --architectures="$arch" \
	--include="$(echo $packages | tr ' ' ,)" \
	--extract-hook="'$(dirname "$0")/sysroot_database.sh' '$sysroot' \"\$1\"" \
	"$suite" "$sysroot.new" "${mirror:-http://deb.debian.org/debian}"
# An absolute link would lead out of it: the linker took the static library where it led nowhere.
find "$sysroot.new" -type l -lname '/*' | while read -r link; do
	ln -snfr "$sysroot.new$(readlink "$link")" "$link"
done
touch "$sysroot.new/made"
mv "$sysroot.new" "$sysroot"
