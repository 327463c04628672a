"""pywinrm: client_pywinrm.py PORT USER [CA]; the password comes from PASSWORD."""
import os
import sys

import identify
from winrm.transport import Transport

port, user = sys.argv[1], sys.argv[2]
options = {"server_cert_validation": "ignore"}
scheme = "http"
if len(sys.argv) > 3:
    scheme, options = "https", {"ca_trust_path": sys.argv[3]}
transport = Transport(
    "%s://127.0.0.1:%s/wsman" % (scheme, port),
    username=user,
    password=os.environ["PASSWORD"],
    auth_method="ntlm",
    message_encryption="always",
    **options,
)
for i in range(3):
    identify.check(transport.send_message(identify.IDENTIFY + " " * i))
