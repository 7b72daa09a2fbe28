/** A port that was free a moment ago, for tests that cannot use port 0 because they need the number before the start. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  listener.stop(true);
  return listener.port;
}
