/* A process that opens the outbox in the directory of its first argument, prints "open", and runs until it is killed. */
import { openOutbox } from "../server/outbox/outbox.ts";
import { silentLog } from "./support/log.ts";

const dir = process.argv[2] ?? "";
const outbox = await openOutbox({
  dir,
  maxBytes: 1_000_000,
  onFull: "reject",
  outputs: ["clickhouse"],
  log: silentLog,
});
process.stdout.write("open\n");
// This reference prevents that the outbox, and with it the lock, is collected as garbage.
setInterval(() => outbox.counts(), 60_000);
