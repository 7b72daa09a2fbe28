import { defineOutput } from "../descriptor.ts";
import { createStdoutDelivery } from "./output.ts";
import { StdoutWriter } from "./stdout-writer.ts";

export const stdout = defineOutput({
  name: "stdout",
  title: "stdout",
  description: "Standard output, one event a line. It has no keys.",
  keys: {},
  needsOutbox: false,
  isInExample: true,
  create(_settings, { log, onFatal }) {
    const writer = new StdoutWriter({ log: log.component("stdout"), onClosed: onFatal });
    return { ...createStdoutDelivery(writer), direct: writer };
  },
});
