#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Puts libmnl.a into a directory, where the compiler has none: before Debian 13,
# libmnl-dev has no static library, so that of Debian 13 is taken, which needs
# nothing but libc. The compiler may be one for another machine, whose Debian architecture is
# named then. Run by `make static`.
set -eu

directory=$1 compiler=${2:-cc}
mkdir -p "$directory"
# shellcheck disable=SC2086
[ "$($compiler -print-file-name=libmnl.a)" = libmnl.a ] || exit 0
[ ! -e "$directory/libmnl.a" ] || exit 0

arch=${3:-$(dpkg --print-architecture)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# From the mirror that this machine uses, and nothing of it is kept.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
mkdir -p lists/partial cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
	"${mirror:-http://deb.debian.org/debian} trixie main" >sources.list
apt() {
	apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User= -o APT::Architecture="$arch" -o Acquire::Languages=none "$@"
}
echo "libmnl: taking the static library from Debian 13"
apt update
apt download libmnl-dev
dpkg-deb -x libmnl-dev_*.deb .
cd "$OLDPWD"
cp "$work"/usr/lib/*/libmnl.a "$directory/"
