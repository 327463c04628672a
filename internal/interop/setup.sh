#!/bin/sh
# Installs what the interoperability tests speak to: MIT Kerberos with its KDC,
# gss-ntlmssp and python3-gssapi from Debian or Ubuntu, pypsrp, pyspnego and pywinrm
# from PyPI. Tests whose tools are missing afterwards skip and say so.
#
# The Python packages go below .cache/interop, which is not part of the repository.
set -u
cd "$(dirname "$0")/../.."
venv=.cache/interop/venv
failed=0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
	export DEBIAN_FRONTEND=noninteractive
	# Keep the package scripts from starting daemons.
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod 755 /usr/sbin/policy-rc.d
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends \
		python3-gssapi gss-ntlmssp krb5-kdc krb5-admin-server krb5-user \
		python3-venv python3-requests python3-cryptography curl || failed=1
else
	echo "setup: not root, or no apt-get: packages of the system are left as they are"
fi

mkdir -p .cache
printf '*\n' >.cache/.gitignore

# --system-site-packages: pyspnego and the acceptor use python3-gssapi from the system.
if [ ! -x "$venv/bin/python" ]; then
	/usr/bin/python3 -m venv --system-site-packages "$venv" || failed=1
fi
for package in pyspnego pypsrp pywinrm; do
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$package" || failed=1
done

if [ "$failed" != 0 ]; then
	echo "setup: something could not be installed; its tests will skip"
fi
exit 0
