import { type Signal, useSignal } from "@preact/signals";
import type { RefusalsAnswer } from "../../server/management/api/answers.ts";
import { PageHead } from "../components/page-head.tsx";
import { RefusalTable } from "../components/refusal-table.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { Since } from "../components/since.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { formatCount, formatThings } from "../format/numbers.ts";
import { pageTitle } from "../page-list.ts";

const intervalMs = 3_000;

/** The refused requests: which client, which sensor, why, and how to fix it. */
export function RefusalsPage() {
  const polled = usePolled<RefusalsAnswer>("/api/v1/refusals", intervalMs);
  const reason = useSignal("");
  return (
    <>
      <PageHead title={pageTitle("refusals")} />
      <Resource of={polled} intervalMs={intervalMs} what="the refusals">
        {(answer) => (
          <>
            <p>
              {answer.totalRequests === 0
                ? "No request was"
                : formatThings(answer.totalRequests, "request was", "requests were")}{" "}
              refused <Since at={answer.countedSinceAt} />.{" "}
              <span class="muted">
                A sensor whose connection does not reach Loom (TLS, firewall, wrong address) is not listed
                here.
              </span>
            </p>
            <TimeChart
              series={answer.history}
              format={(value) => formatCount(Math.round(value))}
              label="Requests refused in each 10 seconds of the last hour"
              heightPx={88}
            />
            <Refusals answer={answer} reason={reason} />
          </>
        )}
      </Resource>
    </>
  );
}

function Refusals({ answer, reason }: { answer: RefusalsAnswer; reason: Signal<string> }) {
  const { refusals, advice, forgottenRequests } = answer;
  if (refusals.length === 0) return null;
  const shown = refusals.filter((refusal) => reason.value === "" || refusal.reason === reason.value);
  return (
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
            {reasonsIn(answer).map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </div>
      <RefusalTable refusals={shown} advice={advice} />
      {forgottenRequests > 0 && (
        <p class="muted">
          {formatThings(forgottenRequests, "older refused request is", "older refused requests are")} not
          listed: newer ones evicted them.
        </p>
      )}
    </>
  );
}

function reasonsIn({ refusals }: RefusalsAnswer): string[] {
  return [...new Set(refusals.map(({ reason }) => reason))].sort();
}
