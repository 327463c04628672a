"""A WS-Management endpoint whose security contexts come from other people's code.

--impl pyspnego  pure Python NTLM and SPNEGO of pyspnego
--impl gss       MIT libgssapi through python3-gssapi: Kerberos, and NTLM of gss-ntlmssp

A context belongs to one connection. Every sealed message is answered with a sealed
IdentifyResponse that says how many bytes came; within TLS, messages may come in the
clear. The first line of the output is the port; every other one is an event.
"""
import argparse
import base64
import hashlib
import http.server
import re
import socketserver
import ssl
import struct

parser = argparse.ArgumentParser()
parser.add_argument("--impl", choices=["pyspnego", "gss"], required=True)
parser.add_argument("--cert")
parser.add_argument("--key")
arguments = parser.parse_args()

binding = None
if arguments.cert:
    with open(arguments.cert) as f:
        der = ssl.PEM_cert_to_DER_cert(f.read())
    binding = b"tls-server-end-point:" + hashlib.sha256(der).digest()


def say(*words):
    print(*words, flush=True)


def negotiate(token):
    return "WWW-Authenticate", "Negotiate " + base64.b64encode(token).decode()


class PySpnego:
    def __init__(self):
        import spnego
        import spnego.channel_bindings

        options = {}
        if binding:
            options["channel_bindings"] = spnego.channel_bindings.GssChannelBindings(application_data=binding)
        self.context = spnego.server(protocol="ntlm", **options)

    def step(self, token):
        return self.context.step(token)

    @property
    def complete(self):
        return self.context.complete

    @property
    def user(self):
        return self.context.client_principal

    def unwrap(self, signature, sealed):
        return self.context.unwrap_winrm(signature, sealed)

    def wrap(self, plain):
        result = self.context.wrap_winrm(plain)
        return result.header, result.data, result.padding_length


class GSS:
    def __init__(self):
        import gssapi
        import gssapi.raw

        self.raw = gssapi.raw
        bindings = gssapi.raw.ChannelBindings(application_data=binding) if binding else None
        self.context = gssapi.SecurityContext(usage="accept", channel_bindings=bindings)

    def step(self, token):
        return self.context.step(token)

    @property
    def complete(self):
        return self.context.complete

    @property
    def user(self):
        return self.context.initiator_name

    @property
    def ntlm(self):
        return getattr(self.context.mech, "dotted_form", "") == "1.3.6.1.4.1.311.2.2.10"

    def unwrap(self, signature, sealed):
        if self.ntlm:
            return self.raw.unwrap(self.context, signature + sealed).message
        kind = self.raw.IOVBufferType
        iov = self.raw.IOV(
            (kind.header, False, signature), (kind.data, False, sealed), (kind.data, False, None), std_layout=False
        )
        assert self.raw.unwrap_iov(self.context, iov).encrypted
        return iov[1].value

    def wrap(self, plain):
        if self.ntlm:
            message = self.raw.wrap(self.context, plain, confidential=True).message
            return message[:16], message[16:], 0
        kind = self.raw.IOVBufferType
        iov = self.raw.IOV(
            (kind.header, True, None), (kind.data, False, plain), (kind.padding, True, None), std_layout=False
        )
        self.raw.wrap_iov(self.context, iov, confidential=True)
        padding = iov[2].value or b""
        return iov[0].value, iov[1].value + padding, len(padding)


ANSWER = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    '<i:IdentifyResponse xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<i:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</i:ProtocolVersion>"
    "<i:ProductVendor>%s</i:ProductVendor><i:ProductVersion>%d</i:ProductVersion>"
    "</i:IdentifyResponse></s:Body></s:Envelope>"
)
PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
SEALED = 'multipart/encrypted;protocol="%s";boundary="Encrypted Boundary"' % PROTOCOL
PART = (
    "--Encrypted Boundary\r\n\tContent-Type: %s\r\n"
    "\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
    "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.context, self.established, self.count = None, False, 0
        say("connection")

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, token=None):
        self.context, self.established = None, False
        self.answer(401, b"", [negotiate(token) if token else ("WWW-Authenticate", "Negotiate")])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        clear = b"Envelope" in body
        headers = []
        match = re.match(r"Negotiate (\S+)$", self.headers.get("Authorization", ""))
        if match:
            if self.context is None or self.established:
                self.context = PySpnego() if arguments.impl == "pyspnego" else GSS()
                self.established = False
            token = None
            try:
                token = self.context.step(base64.b64decode(match.group(1)))
                complete = self.context.complete  # raises what step held back to send a last token
            except Exception as e:
                say("refused", type(e).__name__)
                return self.refuse(token)
            if token:
                headers.append(negotiate(token))
            if not complete:
                return self.answer(401, b"", headers)
            self.established = True
            say("established", self.context.user)
        if not self.established:
            return self.refuse()
        if not body:
            return self.answer(200, b"", headers)
        if clear:
            say("clear")
            if not arguments.cert:
                return self.answer(500)
        else:
            try:
                body = self.unseal(body)
            except Exception as e:
                say("broken", type(e).__name__, e)
                return self.answer(400)
        self.count += 1
        # Answers of many lengths, some of them long.
        vendor = "x" * (self.count * 7 if self.count < 3 else 120_000 + self.count)
        plain = (ANSWER % (vendor, len(body))).encode()
        if clear:
            return self.answer(200, plain, headers + [("Content-Type", "application/soap+xml;charset=UTF-8")])
        say("sealed", len(body))
        self.answer(200, self.seal(plain), headers + [("Content-Type", SEALED)])

    def unseal(self, body):
        head, _, rest = body.partition(b"\tContent-Type: application/octet-stream\r\n")
        stated = int(re.search(rb"Length=(\d+)", head).group(1))
        assert rest.endswith(b"--Encrypted Boundary--\r\n")
        rest = rest[: -len(b"--Encrypted Boundary--\r\n")]
        (n,) = struct.unpack("<I", rest[:4])
        plain = self.context.unwrap(rest[4 : 4 + n], rest[4 + n :])
        assert len(plain) == stated, (len(plain), stated)
        return plain

    def seal(self, plain):
        signature, sealed, padding = self.context.wrap(plain)
        head = PART % (PROTOCOL, len(plain) + padding)
        return head.encode() + struct.pack("<I", len(signature)) + signature + sealed + b"--Encrypted Boundary--\r\n"


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
if arguments.cert:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(arguments.cert, arguments.key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
say(server.server_address[1])
server.serve_forever()
