import { inventedDatabases } from "../mmdb/invented-databases.ts";
import { type RunningLoom, type StartOptions, sensorEnvironment, startExecutable } from "./executable.ts";
import { capturedRequests } from "./fixtures.ts";
import { send } from "./send.ts";
import { adminToken } from "./view.ts";

/**
 * A configuration for tests of the dashboard: databases, no rate limit, sensors that soon count as quiet, and rules for networks
 * that the captured requests are not from.
 */
export const dashboardConfig = `
[server]
tls = false
listen_address = "127.0.0.1:0"
management_listen_address = "127.0.0.1:0"
[limits]
per_sensor_rps = -1
[enrichment]
geoip_db_path = "city.mmdb"
asn_db_path = "asn.mmdb"
[dashboard]
quiet_after_seconds = 2
[[ignore]]
name = "own-scanners"
networks = ["2001:db8::/32", "fd00::/8"]
action = "drop"
[[ignore]]
name = "monitoring"
networks = ["192.168.0.0/16"]
`;

export interface DashboardOptions extends StartOptions {
  /** True to leave LOOM_ADMIN_TOKEN unset, so that the log has a sign-in link. */
  readonly hasLink?: boolean;
}

/** Starts Loom with the invented databases, which contain the source addresses of the captured requests, and the sign-in token of `viewOf`. */
export async function startWithDashboard(options: DashboardOptions = {}): Promise<RunningLoom> {
  return startExecutable({
    config: dashboardConfig,
    ...options,
    environment: {
      ...(options.hasLink ? {} : { LOOM_ADMIN_TOKEN: adminToken }),
      ...sensorEnvironment,
      ...options.environment,
    },
    files: { ...inventedDatabases, ...options.files },
  });
}

const capturedEvents = capturedRequests.flatMap(({ body }) => JSON.parse(body) as CapturedEvent[]);

interface CapturedEvent {
  source: { ip: string; port: number };
  event: { id: string };
}

/** A batch of captured events, each with a new id. */
export function capturedBatch(eventCount: number): string {
  const events = Array.from({ length: eventCount }, (_, i) => {
    // The event of 27 KB is left out.
    const event = structuredClone(capturedEvents[i % 9]);
    if (event) event.event.id = crypto.randomUUID();
    return event;
  });
  return JSON.stringify(events);
}

export interface SteadyLoad extends AsyncDisposable {
  /** The number of events that were answered 204. */
  readonly keptEvents: () => number;
}

/** Sends captured events at a constant rate, in batches of 50, until it is disposed. Refused batches do not count. */
export function sendSteadily(
  loom: () => Pick<RunningLoom, "ingestUrl">,
  eventsPerSecond: number,
): SteadyLoad {
  const eventsPerBatch = 50;
  const startedAt = performance.now();
  let sentBatches = 0;
  let keptEvents = 0;
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      const dueBatches = ((performance.now() - startedAt) / 1000) * (eventsPerSecond / eventsPerBatch);
      if (sentBatches >= dueBatches) {
        await Bun.sleep(5);
        continue;
      }
      sentBatches++;
      const status = await send(loom().ingestUrl, capturedBatch(eventsPerBatch)).catch(() => 0);
      if (status === 204) keptEvents += eventsPerBatch;
    }
  };
  const running = Promise.all([run(), run(), run()]);
  return {
    keptEvents: () => keptEvents,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await running;
    },
  };
}
