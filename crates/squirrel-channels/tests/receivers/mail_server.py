# A mail server for tests: takes mails for whoever knows the password, and writes each to a file.
import asyncio
import ssl
import sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

mode, folder = sys.argv[1], sys.argv[2]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")


class Handler:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        tls = session.ssl is not None or mode == "implicit"
        head = "X-Peer-Tls: %s\nX-Rcpt: %s\n" % ("yes" if tls else "no", ",".join(envelope.rcpt_tos))
        text = envelope.content.decode("utf-8", "replace").replace("\r\n", "\n")
        with open("%s/%03d.eml" % (folder, self.count), "w", encoding="utf-8") as out:
            out.write(head + text)
        return "250 OK taken as %d" % self.count


def login(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"squirrel", b"sesame")
    return AuthResult(success=good, handled=good)


options = {"authenticator": login, "auth_required": True}
if mode == "implicit":
    # The server does not know that its connections are wrapped.
    options.update(auth_require_tls=False)
else:
    options.update(tls_context=context, require_starttls=True)


async def serve():
    handler = Handler()
    loop = asyncio.get_running_loop()
    wrapped = context if mode == "implicit" else None
    server = await loop.create_server(lambda: SMTP(handler, **options), "127.0.0.1", 0, ssl=wrapped)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
