#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Notes in a system root which library is of which package, as dpkg does when it installs one:
# dpkg-shlibdeps takes a package's dependencies from that. Run by packaging/sysroot.sh, while the
# packages are still there, with the place that the system root will have, and the one it has now.
set -eu

sysroot=$1 unpacked=$2
database=$unpacked/var/lib/dpkg
control=$unpacked/tmp/control

echo 1 >"$database/info/format"
for deb in "$unpacked"/var/cache/apt/archives/*.deb; do
	# Such are the libraries. Others have no architecture in the names of these files.
	[ "$(dpkg-deb --field "$deb" Multi-Arch)" = same ] || continue
	info=$database/info/$(dpkg-deb --show --showformat '${Package}:${Architecture}' "$deb")
	dpkg-deb --control "$deb" "$control"
	for file in symbols shlibs; do
		[ ! -e "$control/$file" ] || mv "$control/$file" "$info.$file"
	done
	dpkg-deb --fsys-tarfile "$deb" | tar -t | sed "s,^\.,$sysroot,; s,/\$,," >"$info.list"
	sed '/^Package:/a Status: install ok installed' "$control/control" >>"$database/status"
	echo >>"$database/status"
	rm -r "$control"
done
