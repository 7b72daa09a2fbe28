import { hostAndPort } from "../../config/address-kinds.ts";
import { required } from "../../config/key.ts";
import { listOf } from "../../config/kind.ts";
import { defineUnbuiltOutput } from "../descriptor.ts";
import { topicName } from "./kinds.ts";

/** The Go program of the same name lists this output without an implementation. Its keys are accepted and checked. */
export const kafka = defineUnbuiltOutput({
  name: "kafka",
  title: "Kafka",
  description: "This output is not implemented yet. Its keys are checked, but Loom does not start with it.",
  keys: {
    kafka_brokers: required(listOf(hostAndPort, 64), 'The brokers, each as "host:port".', {
      example: '["localhost:9092"]',
    }),
    kafka_topic: required(topicName, "The topic.", { example: '"loom-events"' }),
  },
});
