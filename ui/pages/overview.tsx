import type { OverviewAnswer } from "../../server/management/api/answers.ts";
import { useApp } from "../components/app-context.ts";
import {
  EnrichmentTile,
  EventsTile,
  OutputsTile,
  ProcessTile,
  RefusalsTile,
  SensorsTile,
} from "../components/overview-tiles.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource } from "../components/resource.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { overviewIntervalMs } from "../models/app.ts";
import { allIsWell, findingsOf } from "../models/verdict.ts";
import { pageTitle } from "../page-list.ts";

/** Whether there are problems, and the most important figures. */
export function OverviewPage() {
  const { overview } = useApp();
  return (
    <>
      <PageHead title={pageTitle("overview")} />
      <Resource of={overview} intervalMs={overviewIntervalMs} what="the overview">
        {(answer) => (
          <>
            <Verdict answer={answer} />
            <div class="tiles">
              <EventsTile answer={answer} />
              <SensorsTile sensors={answer.sensors} fleet={answer.fleet} />
              <RefusalsTile refusals={answer.refusals} totals={answer.totals} />
              <OutputsTile outputs={answer.outputs} />
              <EnrichmentTile fields={answer.enrichment} />
              <ProcessTile resources={answer.resources} />
            </div>
          </>
        )}
      </Resource>
    </>
  );
}

function Verdict({ answer }: { answer: OverviewAnswer }) {
  const findings = findingsOf(answer);
  return (
    <div class="verdict" role="status">
      <ul aria-label="Problems">
        {findings.length === 0 && (
          <li>
            <StateMark mood="good">{allIsWell(answer)}</StateMark>
          </li>
        )}
        {findings.map(({ mood, text, href }) => (
          <li key={text}>
            <StateMark mood={mood}>
              <a href={href}>{text}</a>
            </StateMark>
          </li>
        ))}
      </ul>
    </div>
  );
}
