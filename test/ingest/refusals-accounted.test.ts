import { expect, test } from "bun:test";
import { createAuthenticator } from "../../server/ingest/authentication.ts";
import { RefusalRecords } from "../../server/monitoring/refusals/refusal-records.ts";
import { CannotKeep } from "../../server/pipeline.ts";
import { refusedByReason, refusedRequests } from "../../server/telemetry/ledger.ts";
import { batchRequest, ingestWith, type RequestParts, sensors } from "../support/ingest.ts";

const badRequests: readonly RequestParts[] = [
  { path: "/favicon.ico" },
  { path: "/.env", method: "GET" },
  { method: "GET" },
  { headers: { "content-type": "text/plain", "x-spip-id": "vps-tokyo-01" } },
  { headers: { authorization: null } },
  { headers: { authorization: "Bearer frankfurt-token", "x-spip-id": "vps-tokyo-01" } },
  { headers: { authorization: "Bearer nonsense", "x-spip-id": "tokyo-token" } },
  { headers: { authorization: "tokyo-token" } },
  { body: "nonsense" },
  { body: "x".repeat(1000) },
  { body: "[{},{},{},{}]" },
  { body: '[{"full":1}]' },
];

async function refuseAll() {
  const authenticator = createAuthenticator(sensors);
  const records = new RefusalRecords({ claimOf: authenticator.claimOf });
  const { send, ledger } = ingestWith({
    authenticator,
    limits: { maxBodySizeBytes: 500, maxEventsPerBatch: 3 },
    keep: async ({ lines }) => {
      if (lines.includes("full")) throw new CannotKeep("outbox full");
    },
    onRefused: (refused) => records.note(refused),
  });
  const statuses = [];
  for (const parts of [...badRequests, ...badRequests, {}])
    statuses.push((await send(batchRequest(parts))).status);
  return { records, ledger, statuses };
}

test("every refusal is in the ledger, and every refusal in the ledger is in a group", async () => {
  const { records, ledger, statuses } = await refuseAll();
  const refused = statuses.filter((status) => status !== 204).length;
  expect(refused).toBe(badRequests.length * 2);
  expect(refusedRequests(ledger)).toBe(refused);
  expect(records.groups().reduce((sum, { count }) => sum + count, 0) + records.evictedRequests).toBe(refused);
});

test("each reason has the same number of refusals in groups and in the ledger", async () => {
  const { records, ledger } = await refuseAll();
  const inGroups = new Map<string, number>();
  for (const { reason, count } of records.groups()) inGroups.set(reason, (inGroups.get(reason) ?? 0) + count);
  expect(inGroups).toEqual(refusedByReason(ledger));
  expect(inGroups.get("not_found")).toBe(4);
  expect(inGroups.get("method_not_allowed")).toBe(2);
});

test("every received request is kept or refused", async () => {
  const { ledger, statuses } = await refuseAll();
  const byStatus = new Map<number, number>();
  for (const { requestsByStatus } of ledger.sensors.values())
    for (const [status, count] of requestsByStatus) byStatus.set(status, (byStatus.get(status) ?? 0) + count);
  expect([...byStatus.values()].reduce((sum, count) => sum + count)).toBe(statuses.length);
  expect(byStatus.get(404)).toBe(4);
});

test("no group holds a token", async () => {
  const { records } = await refuseAll();
  const text = JSON.stringify(records.groups());
  expect(text).toContain("(a token)");
  for (const { token } of sensors) expect(text).not.toContain(token);
});
