#!/usr/bin/env bash
# Unpack Debian's syslog-ng into a folder, for tests: installed, it would take the place of rsyslog.
# Usage: scripts/unpack_syslog_ng.sh FOLDER; then FOLDER/syslog-ng is the program.
set -euo pipefail

folder=$(realpath -m "$1")
packages=(syslog-ng-core)

# Give what a package needs that is not installed.
lacking() {
    apt-cache depends --important "$1" | awk '/ Depends: [^<]/ {print $NF}' | while read -r package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

[ ! -x "$folder/syslog-ng" ] || exit 0
apt-cache show "${packages[@]}" >/dev/null 2>&1 || apt-get update -q
mkdir -p "$folder/root"
cd "$folder"
# shellcheck disable=SC2046 # names of packages have no spaces
apt-get download -q "${packages[@]}" $(lacking syslog-ng-core | grep -v -x -e sysvinit-utils -e lsb-base)
for package in *.deb; do dpkg -x "$package" root; done
rm -- *.deb
modules=$(echo "$folder"/root/usr/lib/syslog-ng/[0-9]*)
libraries=$(find "$folder/root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
cat >syslog-ng <<END
#!/bin/sh
LD_LIBRARY_PATH=$libraries exec "$folder/root/usr/sbin/syslog-ng" --module-path="$modules" "\$@"
END
chmod +x syslog-ng
./syslog-ng --version | head -n 1
