/** The floor: what a Bun server costs that parses each batch and does nothing else with it. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    JSON.parse(await request.text());
    return new Response(null, { status: 204 });
  },
});
console.log(server.port);
