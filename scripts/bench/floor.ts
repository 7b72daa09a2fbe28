/** The baseline that Loom is compared with: a Bun server that parses each batch and does nothing else. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    JSON.parse(await request.text());
    return new Response(null, { status: 204 });
  },
});
console.log(server.port);
