"""Stands in for the module krb5, which Debian has no package of. pyspnego imports it
for Kerberos, but calls it only to log on with a password, not with a ticket cache."""
