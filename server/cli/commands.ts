import type { Command } from "./command.ts";
import { deadLetters } from "./dead-letters.ts";
import { demo } from "./demo/demo.ts";
import { exampleConfig } from "./example-config.ts";
import { geoip } from "./geoip.ts";
import { help } from "./help.ts";
import { run } from "./run.ts";
import { schema } from "./schema.ts";
import { search } from "./search.ts";
import { store } from "./store/store.ts";
import { version } from "./version.ts";

/** Every command, in the order of `loom help`. */
export const commands: readonly Command[] = [
  run,
  demo,
  exampleConfig,
  schema,
  search,
  store,
  deadLetters,
  geoip,
  version,
  help(() => commands),
];
