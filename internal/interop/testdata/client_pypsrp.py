"""pypsrp: client_pypsrp.py PORT AUTH USER [CA]; the password comes from PASSWORD.

The CA "none" is TLS that verifies nothing."""
import os
import sys

import identify
from pypsrp.wsman import _TransportHTTP

port, auth, user = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ca = sys.argv[4] if len(sys.argv) > 4 else None
options = {}
if auth == "kerberos":
    options = {"negotiate_service": "HTTP", "negotiate_hostname_override": os.environ["SERVICE_HOST"]}
transport = _TransportHTTP(
    "127.0.0.1",
    port=port,
    username=user or None,
    password=os.environ.get("PASSWORD"),
    ssl=ca is not None,
    cert_validation=ca if ca != "none" else False,
    auth=auth,
    encryption="always",
    **options,
)
for i in range(3):
    identify.check(transport.send((identify.IDENTIFY + " " * i).encode()))
