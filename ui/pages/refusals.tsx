import { useSignal } from "@preact/signals";
import type { RefusalsAnswer } from "../../server/management/api/answers.ts";
import { PageHead } from "../components/page-head.tsx";
import { RefusalTable } from "../components/refusal-table.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { formatCount, formatThings } from "../format/numbers.ts";

const intervalMs = 3_000;

/** Every request that was not kept: who, why, and what to do about it. */
export function RefusalsPage() {
  const polled = usePolled<RefusalsAnswer>("/api/v1/refusals", intervalMs);
  const reason = useSignal("");
  return (
    <>
      <PageHead title="Refusals" />
      <Resource of={polled} intervalMs={intervalMs} what="the refusals">
        {(answer) => {
          const reasons = [...new Set(answer.refusals.map((refusal) => refusal.reason))].sort();
          const shown = answer.refusals.filter(
            (refusal) => reason.value === "" || refusal.reason === reason.value,
          );
          return (
            <>
              <p>
                {formatThings(answer.requests, "request")} refused since the start.{" "}
                <span class="muted">
                  A sensor whose connection never gets here (TLS, firewall, address) can't show up below.
                </span>
              </p>
              <TimeChart
                series={answer.history}
                format={(value) => formatCount(Math.round(value))}
                label="Requests refused in each 10 seconds of the last hour"
                heightPx={88}
              />
              {answer.refusals.length === 0 ? (
                <p class="placeholder">Nothing was refused since Loom started.</p>
              ) : (
                <>
                  <div class="toolbar">
                    <label>
                      Reason{" "}
                      <select
                        value={reason}
                        onChange={(event) => {
                          reason.value = event.currentTarget.value;
                        }}
                      >
                        <option value="">all</option>
                        {reasons.map((one) => (
                          <option key={one}>{one}</option>
                        ))}
                      </select>
                    </label>
                  </div>
                  <RefusalTable refusals={shown} advice={answer.advice} />
                </>
              )}
              {answer.forgottenRequests > 0 && (
                <p class="muted">
                  {formatThings(answer.forgottenRequests, "older request")} refused, whose entries made room
                  for newer ones.
                </p>
              )}
            </>
          );
        }}
      </Resource>
    </>
  );
}
