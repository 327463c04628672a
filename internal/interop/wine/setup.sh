#!/bin/sh
# Installs Wine, which runs programs for Windows, with winbind, whose ntlm_auth makes
# its NTLM, and makes a prefix for it below .cache/wine. It does nothing where all of
# that is there. One line says what is missing afterwards; the tests skip then.
set -u
cd "$(dirname "$0")/../../.." || exit
cache=$PWD/.cache/wine

wine() {
	for program in wine64 /usr/lib/wine/wine64 wine; do
		command -v "$program" && return
	done
	return 1
}

all_there() {
	wine >/dev/null && command -v ntlm_auth >/dev/null && [ -e "$cache/ready" ]
}

install_system() {
	export DEBIAN_FRONTEND=noninteractive
	# Keep the package scripts from starting daemons.
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod 755 /usr/sbin/policy-rc.d
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	timeout 120 apt-get update -qq
	timeout 600 apt-get install -y -qq --no-install-recommends wine64 winbind gcc-mingw-w64-x86-64
}

# Go needs one function of a library that Wine 8 has not.
make_library() {
	cat >"$cache/prng.c" <<-'C'
		unsigned char __stdcall SystemFunction036(void *, unsigned long);
		__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *p, unsigned long long n)
		{
			return SystemFunction036(p, (unsigned long)n);
		}
	C
	x86_64-w64-mingw32-gcc -shared -s -o "$1" "$cache/prng.c" -ladvapi32
}

# Go deletes files in a way that Wine 8 does not know, and takes its answer for final.
make_overlay() {
	source=$(go env GOROOT)/src/internal/syscall/windows/at_windows.go
	sed 's/^\(\t\tSTATUS_NOT_SUPPORTED\):/\1, NTStatus(0xC0000002):/' "$source" >"$cache/at_windows.go" &&
		printf '{"Replace": {"%s": "%s"}}\n' "$source" "$cache/at_windows.go" >"$cache/overlay.json"
}

make_prefix() {
	mkdir -p "$cache" || return
	export WINEPREFIX="$cache/prefix" WINEDEBUG=-all
	timeout 180 "$(wine)" wineboot --init || return
	library=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
	[ -e "$library" ] || make_library "$library" || return
	wine >"$cache/ready"
}

all_there && make_overlay && exit 0 # which the version of Go decides
if ! { wine && command -v ntlm_auth && command -v x86_64-w64-mingw32-gcc; } >/dev/null; then
	if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
		install_system >/dev/null 2>&1
	fi
fi
make_prefix >/dev/null 2>&1
all_there && make_overlay || echo "setup: no Wine with ntlm_auth, and it can be installed by root on Debian or Ubuntu only: tests of programs for Windows skip"
exit 0
