import { eventsOf, openWriter, startMs } from "../stores.ts";

/* Stores deliveries in a directory until it is killed, and prints the last event of each one that is stored. */

const [dir = ""] = process.argv.slice(2);
const deliverySize = 100;
const store = openWriter(dir);
for (let first = 1; ; first += deliverySize) {
  store.writer.append("outbox-1", eventsOf(first, deliverySize, startMs + first * 1_000));
  process.stdout.write(`${first + deliverySize - 1}\n`);
}
