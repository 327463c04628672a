// Package interop holds tests of the project's security contexts and of its simulated
// host against programs that were written by others: pyspnego, pypsrp, pywinrm, MIT
// Kerberos with its KDC, gss-ntlmssp and curl, all on the loopback interface.
//
// They run with HYPERV_TEST_INTEROP=1. Then setup.sh installs what they need, as far as it is
// allowed to; a test whose program is missing is skipped. HYPERV_TEST_WINE=1 runs the tests in
// which our side is a program for Windows, see package wine.
package interop
