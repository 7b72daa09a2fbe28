/* A process that opens the outbox in the directory it is given, says so, and holds it until it is killed. */
import { openOutbox } from "../../server/outbox/outbox.ts";
import { silentLog } from "../support/log.ts";

const dir = process.argv[2] ?? "";
const outbox = await openOutbox({
  dir,
  maxBytes: 1_000_000,
  onFull: "reject",
  outputs: ["clickhouse"],
  log: silentLog,
});
process.stdout.write("open\n");
// Referred to for good: what is collected as garbage holds no lock.
setInterval(() => outbox.counts(), 60_000);
