// A proxy between browser and server that can be cut, and that counts. The server sees requests as
// if they came to its own address.

import { createServer, request as ask } from "node:http";

export async function startProxy(target) {
  const to = new URL(target);
  const sockets = new Set();
  const seen = { streams: 0, opened: 0, answers: [] };
  let cut = false;

  const server = createServer((request, response) => {
    const headers = { ...request.headers, host: to.host };
    if (headers.origin) headers.origin = to.origin;
    if (headers.referer) headers.referer = headers.referer.replace(/^https?:\/\/[^/]+/, to.origin);
    const streaming = request.url.startsWith("/api/stream");
    // A connection for each request: one that was kept may be closed by the server just when it is used again.
    const options = { host: to.hostname, port: to.port, method: request.method, path: request.url, headers, agent: false };
    const upstream = ask(options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      let bytes = 0;
      answer.on("data", (part) => (bytes += part.length));
      answer.on("end", () => seen.answers.push({ path: request.url, bytes, status: answer.statusCode, encoding: answer.headers["content-encoding"] }));
      answer.pipe(response);
    });
    if (streaming) {
      seen.streams++;
      seen.opened++;
      response.on("close", () => seen.streams--);
    }
    response.on("close", () => upstream.destroy());
    upstream.on("error", () => response.destroy());
    request.pipe(upstream);
  });
  server.on("connection", (socket) => {
    if (cut) return socket.destroy();
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    cut() {
      cut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => (cut = false),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
