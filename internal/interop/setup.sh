#!/bin/sh
# Installs what the interoperability tests speak to: MIT Kerberos with its KDC,
# gss-ntlmssp and python3-gssapi from Debian or Ubuntu, pypsrp, pyspnego and pywinrm
# from PyPI. It does nothing where all of that is there. Tests whose tools are missing
# afterwards skip and say so.
#
# The Python packages go below .cache/interop, which is not part of the repository.
# shellcheck disable=SC3044 # complete is a function of this script
set -u
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/sbin
venv=.cache/interop/venv

complete() {
	for tool in krb5kdc kadmin.local kdb5_util kinit curl; do
		command -v "$tool" >/dev/null || return 1
	done
	[ -e /etc/gss/mech.d/mech.ntlmssp.conf ] || return 1
	"$venv/bin/python" -c 'import gssapi, spnego, pypsrp, winrm' 2>/dev/null
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
	timeout 300 apt-get install -y -qq --no-install-recommends \
		python3-gssapi gss-ntlmssp krb5-kdc krb5-admin-server krb5-user \
		python3-venv python3-requests python3-cryptography curl
}

install_python() {
	# The system's packages count too: python3-gssapi comes from there.
	[ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv --system-site-packages "$venv" || return
	for package in pyspnego pypsrp pywinrm; do
		timeout 120 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --retries 1 "$package"
	done
}

complete && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
	install_system >/dev/null 2>&1
else
	echo "setup: not root, or no apt-get: the system's packages are left as they are"
fi
install_python >/dev/null 2>&1
complete || echo "setup: not everything could be installed; the tests of what is missing skip"
exit 0
