import { type Signal, useSignal } from "@preact/signals";
import type { RefusalsAnswer } from "../../server/management/api/answers.ts";
import { PageHead } from "../components/page-head.tsx";
import { RefusalTable } from "../components/refusal-table.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { Since } from "../components/since.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { formatCount, formatThings } from "../format/numbers.ts";
import { formatRefused } from "../format/refused.ts";
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
            <ReasonFilter answer={answer} reason={reason} />
            <SensorRefusals answer={answer} reason={reason.value} />
            <Strangers answer={answer} reason={reason.value} />
            {answer.forgottenRequests > 0 && (
              <p class="muted">
                {formatThings(
                  answer.forgottenRequests,
                  "older refused request is",
                  "older refused requests are",
                )}{" "}
                not listed: newer ones evicted them.
              </p>
            )}
          </>
        )}
      </Resource>
    </>
  );
}

function ReasonFilter({ answer, reason }: { answer: RefusalsAnswer; reason: Signal<string> }) {
  if (answer.refusals.length === 0) return null;
  return (
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
  );
}

interface PartProps {
  readonly answer: RefusalsAnswer;
  /** Only refusals with this reason are shown; "": all. */
  readonly reason: string;
}

/** The refused requests that concern a sensor. */
function SensorRefusals({ answer, reason }: PartProps) {
  const { own, claimed, refusals, advice } = answer;
  const shown = refusals.filter((one) => !one.isStranger && (reason === "" || one.reason === reason));
  return (
    <section aria-labelledby="sensors-title">
      <h2 id="sensors-title">Sensors</h2>
      <p>
        {own.requests === 0
          ? "No request of a sensor was"
          : `${formatRefused(own)} of sensors ${own.requests + own.events === 1 ? "was" : "were"}`}{" "}
        refused <Since at={answer.countedSinceAt} />.
        {claimed.requests > 0 &&
          ` ${formatThings(claimed.requests, "request")} with a sensor's id but not its token ${claimed.requests === 1 ? "was" : "were"} refused too.`}{" "}
        <span class="muted">
          A sensor whose connection does not reach Loom (TLS, firewall, wrong address) is not listed here.
        </span>
      </p>
      <TimeChart
        series={answer.sensorHistory}
        format={(value) => formatCount(Math.round(value))}
        label="Requests of sensors refused in each 10 seconds of the last hour"
        heightPx={88}
      />
      {shown.length > 0 && <RefusalTable refusals={shown} advice={advice} />}
    </section>
  );
}

/** The refused requests that concern no sensor. Nobody has to act on them, so they come last, in grey. */
function Strangers({ answer, reason }: PartProps) {
  const { strangers, strangerHistory, refusals } = answer;
  if (strangers.requests === 0) return null;
  const shown = refusals.filter((one) => one.isStranger && (reason === "" || one.reason === reason));
  return (
    <section aria-labelledby="noise-title" class="noise">
      <h2 id="noise-title">Internet noise</h2>
      <p class="muted">
        {formatThings(strangers.requests, "request was", "requests were")} refused{" "}
        <Since at={answer.countedSinceAt} /> that had no valid token and did not name a sensor. Scanners send
        them to every public port, so they are not counted as a problem. If a client below is a sensor of
        yours, its token is wrong, and its X-Spip-ID is wrong or missing.
      </p>
      <TimeChart
        series={strangerHistory}
        format={(value) => formatCount(Math.round(value))}
        label="Requests of strangers refused in each 10 seconds of the last hour"
        heightPx={56}
      />
      {shown.length > 0 && <RefusalTable refusals={shown} isOfStrangers />}
    </section>
  );
}

function reasonsIn({ refusals }: RefusalsAnswer): string[] {
  return [...new Set(refusals.map(({ reason }) => reason))].sort();
}
