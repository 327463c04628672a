package hyperv

const hintTampered = "An attacker between here and the host may be tampering with messages: check the network."

// sspiStatuses are the statuses with which the security packages of Windows answer when the current
// user logs on (winerror.h), as far as an administrator may meet them. Statuses that the packages
// should never return to a correct client are mistakes of this program, to be reported.
var sspiStatuses = []Code{
	{KindSSPI, 0x80090300, "too little memory for the security token", "Check whether the user is in very many groups: the token of Kerberos grows with them (MaxTokenSize).", ErrUnauthenticated},
	{KindSSPI, 0x80090301, "the handle is not valid", hintReport, ErrUnauthenticated},
	{KindSSPI, 0x80090302, "this kind of logon is not possible here", "Check whether a policy of this machine forbids NTLM to other servers (Network security: Restrict NTLM), and name the host so that Kerberos knows it.", ErrUnauthenticated},
	{KindSSPI, 0x80090303, "the domain does not know the host by this name", "Name the host by its full name in the domain (setspn -Q HTTP/<host>); across forests a trust is needed.", ErrUnauthenticated},
	{KindSSPI, 0x80090304, "the local security authority failed", "Look at the event log System of this machine (source LsaSrv, Kerberos or NTLM).", ErrUnauthenticated},
	{KindSSPI, 0x80090305, "this Windows has no such security package", hintReport, ErrUnauthenticated},
	{KindSSPI, 0x80090308, "the host's answer is not a security token", "Check that host and port are those of WinRM, and that nothing in between answers for it.", ErrUnauthenticated},
	{KindSSPI, 0x8009030C, "the logon was denied", "Check that the account that runs this program is not locked, disabled or expired, and that it may log on to the host over the network.", ErrUnauthenticated},
	{KindSSPI, 0x8009030D, "the credentials of the user cannot be used", "Log on again, or run the task with a stored password or as a group-managed service account.", ErrUnauthenticated},
	{KindSSPI, 0x8009030E, "this logon session has no credentials for the network", "Run the task with a stored password or as a group-managed service account, not without a password (S4U), and not inside a remote session.", ErrUnauthenticated},
	{KindSSPI, 0x8009030F, "a message was changed on its way", hintTampered, nil},
	{KindSSPI, 0x80090310, "a message is out of order", hintTampered, nil},
	{KindSSPI, 0x80090311, "no domain controller answers", "Check that this machine reaches a domain controller: nltest /dsgetdc:<domain>.", ErrUnauthenticated},
	{KindSSPI, 0x80090317, "the security context has run out", "", nil},
	{KindSSPI, 0x80090321, "the buffer is too small", hintReport, ErrUnauthenticated},
	{KindSSPI, 0x80090322, "the key of the host differs from the one that the domain has for its name", "Look for a second account with the name (setspn -X), or for a service account that holds HTTP/<host>.", ErrUnauthenticated},
	{KindSSPI, 0x80090324, "the clocks differ too much", "Set the clock of this machine or of the host: Kerberos allows five minutes.", ErrUnauthenticated},
	{KindSSPI, 0x80090331, "this machine and the host have no algorithm in common", "Look at the encryption types that policies of both allow for Kerberos.", ErrUnauthenticated},
	{KindSSPI, 0x80090342, "the domain has no key of a kind that may be used", "Enable AES for the account and the host (msDS-SupportedEncryptionTypes), and reset the password once.", ErrUnauthenticated},
	{KindSSPI, 0x80090346, "the logon is bound to another certificate", "Look for a proxy between here and the host that answers TLS in its place.", ErrUnauthenticated},
	{KindSSPI, 0x8009035F, "a policy allows only NTLM for this host", "Look at the policies of this machine about delegation and NTLM.", ErrUnauthenticated},
	{KindSSPI, 0x80090363, "the host has not proven its identity", "Check the network: another machine may be answering in the host's place.", ErrUnauthenticated},
}
