"""What the clients beside this file send, and what they expect."""

IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
)


def check(answer):
    if isinstance(answer, bytes):
        answer = answer.decode()
    assert "IdentifyResponse" in answer, answer[:400]
