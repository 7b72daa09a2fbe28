/** One that nobody had a moment ago, for what port 0 can't show: the number in the log, the same port after a restart. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  listener.stop(true);
  return listener.port;
}
