"""MIT libgssapi and gss-ntlmssp: client_gss.py PORT krb5|ntlm|spnego SPN [CA]."""
import base64
import hashlib
import http.client
import re
import ssl
import struct
import sys

import gssapi
import identify
from gssapi import raw

MECHANISMS = {"krb5": "1.2.840.113554.1.2.2", "ntlm": "1.3.6.1.4.1.311.2.2.10", "spnego": "1.3.6.1.5.5.2"}
PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"

port, mechanism, service = int(sys.argv[1]), sys.argv[2], sys.argv[3]
binding = None
if len(sys.argv) > 4:
    tls = ssl.create_default_context(cafile=sys.argv[4])
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=tls)
    connection.connect()
    digest = hashlib.sha256(connection.sock.getpeercert(True)).digest()
    binding = raw.ChannelBindings(application_data=b"tls-server-end-point:" + digest)
else:
    connection = http.client.HTTPConnection("127.0.0.1", port)

flag = gssapi.RequirementFlag
flags = flag.confidentiality | flag.integrity | flag.replay_detection | flag.out_of_sequence_detection
oid = gssapi.OID.from_int_seq(MECHANISMS[mechanism])
credentials = None
if mechanism == "ntlm":
    user = gssapi.Name("HYPERV\\admin", gssapi.NameType.user)
    credentials = gssapi.Credentials(name=user, usage="initiate", mechs=[oid])
else:
    flags |= flag.mutual_authentication
context = gssapi.SecurityContext(
    name=gssapi.Name(service, gssapi.NameType.hostbased_service),
    mech=oid,
    creds=credentials,
    flags=flags,
    usage="initiate",
    channel_bindings=binding,
)


def post(token, body, content_type):
    headers = {"Content-Type": content_type}
    if token:
        headers["Authorization"] = "Negotiate " + base64.b64encode(token).decode()
    connection.request("POST", "/wsman", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    match = re.search(r"Negotiate (\S+)", answer.headers.get("WWW-Authenticate") or "")
    return answer, base64.b64decode(match.group(1)) if match else None, text


token = context.step()
while token is not None:
    answer, received, _ = post(token, b"", "application/soap+xml;charset=UTF-8")
    if received is None:
        assert answer.status == 200, answer.status
        break
    token = context.step(received)
assert context.complete

kind = raw.IOVBufferType
for i in range(3):
    message = (identify.IDENTIFY + " " * i).encode()
    if mechanism == "ntlm":
        wrapped = raw.wrap(context, message, confidential=True).message
        signature, sealed = wrapped[:16], wrapped[16:]
    else:
        iov = raw.IOV((kind.header, True, None), (kind.data, False, message), (kind.padding, True, None), std_layout=False)
        raw.wrap_iov(context, iov, confidential=True)
        signature, sealed = iov[0].value, iov[1].value + (iov[2].value or b"")
    body = (
        "--Encrypted Boundary\r\n\tContent-Type: %s\r\n"
        "\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
        "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n" % (PROTOCOL, len(message))
    ).encode() + struct.pack("<I", len(signature)) + signature + sealed + b"--Encrypted Boundary--\r\n"
    answer, _, text = post(None, body, 'multipart/encrypted;protocol="%s";boundary="Encrypted Boundary"' % PROTOCOL)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("multipart/encrypted"), answer.status
    data = text.split(b"octet-stream\r\n", 1)[1]
    data = data[: data.rindex(b"--Encrypted Boundary--")]
    (n,) = struct.unpack("<I", data[:4])
    signature, sealed = data[4 : 4 + n], data[4 + n :]
    if mechanism == "ntlm":
        plain = raw.unwrap(context, signature + sealed).message
    else:
        iov = raw.IOV((kind.header, False, signature), (kind.data, False, sealed), (kind.data, False, None), std_layout=False)
        assert raw.unwrap_iov(context, iov).encrypted
        plain = iov[1].value
    identify.check(plain)
