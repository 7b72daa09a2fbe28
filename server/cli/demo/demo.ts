import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "../../config/load-config.ts";
import { ListenError } from "../../http/listener.ts";
import { outputDescriptors } from "../../outputs/registry.ts";
import { createLog } from "../../telemetry/log.ts";
import { parseArguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { exitWith } from "../exit.ts";
import { LoomProcess } from "../loom-process.ts";
import { capturedRequests } from "./captured-requests.ts";
import { shortRequests, startReplay } from "./replay.ts";

const replayIntervalMs = 3_000;
/** The sensor of the captured requests, and one for events that the user sends. */
const replayedSensorId = "vps-frankfurt-01";
const ownSensorId = "my-sensor";

const defaultAddress = "127.0.0.1:8080";
const defaultManagementAddress = "127.0.0.1:9080";

/** `loom demo`: everything is real; only the requests are replayed. */
export const demo: Command = {
  name: "demo",
  usage: [
    {
      synopsis: "loom demo",
      summary: "try Loom without a configuration, with replayed sensor requests",
      flags: [
        { synopsis: "-no-replay", summary: "do not replay captured requests" },
        { synopsis: "-listen-address ADDRESS", summary: `ingest, default ${defaultAddress}` },
        {
          synopsis: "-management-listen-address ADDRESS",
          summary: `dashboard, health and metrics, default ${defaultManagementAddress}`,
        },
      ],
    },
  ],
  handlesSignals: true,
  run: runDemo,
};

async function runDemo(args: readonly string[]): Promise<void> {
  const flags = parseFlags(args);
  const replayToken = randomBytes(24).toString("base64url");
  const ownToken = randomBytes(24).toString("base64url");
  const config = configFor(flags, temporaryFolder());
  const environment = {
    [`LOOM_SENSOR_${replayedSensorId}`]: replayToken,
    [`LOOM_SENSOR_${ownSensorId}`]: ownToken,
  };
  const log = createLog(config.logging);
  const loom = await new LoomProcess(log).start({ config, environment }, withFlag);
  const url = `http://${hostOf(flags.listenAddress)}:${loom.ingestPort}`;
  const managementUrl = `http://${hostOf(flags.managementAddress)}:${loom.managementPort}`;
  const dashboard = loom.signInLink() ?? `${managementUrl}/   (sign in with your LOOM_ADMIN_TOKEN)`;
  writeSync(2, introduction({ url, managementUrl, dashboard, token: ownToken, flags }));
  if (flags.isReplaying)
    startReplay(shortRequests(await capturedRequests()), {
      url,
      token: replayToken,
      intervalMs: replayIntervalMs,
    });
}

/** The message of an error. If an address is in use, it names the flag for another one. */
function withFlag(error: Error): string {
  if (!(error instanceof ListenError)) return error.message;
  const flag = { ingest: "-listen-address", management: "-management-listen-address" }[error.listenerName];
  return `${error.message}; use ${flag} for another address`;
}

interface DemoFlags {
  readonly listenAddress: string;
  readonly managementAddress: string;
  readonly isReplaying: boolean;
}

function parseFlags(args: readonly string[]): DemoFlags {
  const { values } = parseArguments(args, {
    "no-replay": { type: "boolean", default: false },
    "listen-address": { type: "string", default: defaultAddress },
    "management-listen-address": { type: "string", default: defaultManagementAddress },
  });
  return {
    listenAddress: values["listen-address"],
    managementAddress: values["management-listen-address"],
    isReplaying: !values["no-replay"],
  };
}

/** A folder for outbox and store, which is removed when the process exits. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "loom-demo-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @param folder for what is stored */
function configFor({ listenAddress, managementAddress }: DemoFlags, folder: string) {
  try {
    return parseConfig(
      `
[server]
tls = false
listen_address = ${JSON.stringify(listenAddress)}
management_listen_address = ${JSON.stringify(managementAddress)}
[output]
type = ["stdout", "store"]
store_dir = ${JSON.stringify(join(folder, "store"))}
[output.outbox]
dir = ${JSON.stringify(join(folder, "outbox"))}
[dashboard]
state_dir = "none"
[logging]
format = "console"
`,
      // The demo reads nothing else from the environment.
      { LOOM_ADMIN_TOKEN: process.env.LOOM_ADMIN_TOKEN },
      outputDescriptors,
    );
  } catch (error) {
    exitWith((error as Error).message);
  }
}

/** A host that a client on this machine can connect to. */
function hostOf(listenAddress: string): string {
  return listenAddress.replace(/:\d+$/, "") || "127.0.0.1";
}

interface Introduction {
  readonly url: string;
  readonly managementUrl: string;
  /** The URL of the dashboard, and how to sign in. */
  readonly dashboard: string;
  readonly token: string;
  readonly flags: DemoFlags;
}

function introduction({ url, managementUrl, dashboard, token, flags }: Introduction): string {
  return `
Loom is running. Events go to stdout, one JSON document in each line. This text and the log go to stderr.

  dashboard    ${dashboard}
  ingest       ${url}/api/v1/ingest
  management   ${managementUrl}/health  /ready  /metrics
  databases    countries and networks inside the executable; their sources: loom version
  replay       ${flags.isReplaying ? `one captured sensor request every ${replayIntervalMs / 1000} s; -no-replay turns it off` : "off"}

To send an event of your own:

  curl -i ${url}/api/v1/ingest \\
    -H 'Authorization: Bearer ${token}' \\
    -H 'Content-Type: application/json' \\
    -d '[{"source":{"ip":"81.2.69.142"},"event":{"summary":"hello"}}]'

To connect a Spip on this machine, set in its config.toml:

  [loom]
  enabled = true
  url = "${url}/api/v1/ingest"
  sensor_id = "${ownSensorId}"
  token = "${token}"

Ctrl-C stops Loom.

`;
}
