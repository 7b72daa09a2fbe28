import { optional, withDefault } from "../../config/key.ts";
import { integer, path } from "../../config/kind.ts";
import { StoreHistory } from "../../history/store-history.ts";
import { defineOutput } from "../descriptor.ts";
import { createStoreOutput } from "./output.ts";

const mebi = 1024 ** 2;
const gibi = 1024 ** 3;

export const store = defineOutput({
  name: "store",
  title: "Store",
  description:
    "The store keeps events in files on this machine, so that they can be searched without a database.",
  isInExample: true,
  keys: {
    store_dir: withDefault(path, "/var/lib/loom/store", "The directory of the store."),
    store_max_bytes: optional(
      integer({ min: 64 * mebi, max: 16 * 1024 * gibi }),
      "The largest size of all files of the store, in bytes; the oldest file is removed first. Default: 10 GiB, or half of what is free on the disk when the store is created if that is less.",
      { example: String(10 * gibi) },
    ),
    store_max_days: withDefault(
      integer({ min: 1, max: 36_500 }),
      30,
      "For how many days events are stored. Files of older days are removed.",
    ),
  },
  create: (settings, { log }) => createStoreOutput({ ...settings, log }),
  storeLocation: (settings) => settings,
  openHistory: ({ dir }, { isConcurrent }) =>
    isConcurrent ? StoreHistory.inWorker(dir) : StoreHistory.inThread(dir),
});
