import { useSignal } from "@preact/signals";
import type { EnrichmentAnswer } from "../../server/management/api/answers.ts";
import { CutText } from "../components/cut-text.tsx";
import { Fact } from "../components/fact.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ScrollBox } from "../components/scroll-box.tsx";
import { ShareBar } from "../components/share-bar.tsx";
import { Sparkline } from "../components/sparkline.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { formatBytes, formatCount, formatShare } from "../format/numbers.ts";
import { formatDay, formatDuration } from "../format/times.ts";
import { serverNow } from "../models/clock.ts";

const intervalMs = 5_000;

/** Are the databases in use, fresh, and do they know the sources? */
export function EnrichmentPage() {
  const polled = usePolled<EnrichmentAnswer>("/api/v1/enrichment", intervalMs);
  return (
    <>
      <PageHead title="Enrichment" />
      <Resource of={polled} intervalMs={intervalMs} what="the enrichment">
        {(answer) => (
          <>
            <Databases answer={answer} />
            <Fields fields={answer.fields} />
            <Cache cache={answer.cache} />
            <Dns dns={answer.dns} />
          </>
        )}
      </Resource>
    </>
  );
}

function Databases({ answer: { databases } }: { answer: EnrichmentAnswer }) {
  return (
    <section aria-labelledby="databases-title">
      <h2 id="databases-title">Databases</h2>
      {databases.length === 0 ? (
        <p class="muted">
          None is configured: set <code>geoip_db_path</code> and <code>asn_db_path</code> in{" "}
          <code>[enrichment]</code>.
        </p>
      ) : (
        <ScrollBox label="Databases, as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">For</th>
                <th scope="col">Type</th>
                <th scope="col">Built</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">Of events: known</th>
                <th scope="col" class="number">
                  Not known
                </th>
                <th scope="col" class="number">
                  No public address
                </th>
                <th scope="col" class="number">
                  Damaged records
                </th>
                <th scope="col">File</th>
              </tr>
            </thead>
            <tbody>
              {databases.map((database) => {
                const { hit, miss, skipped, error } = database.lookups;
                const asked = hit + miss + error;
                return (
                  <tr key={database.role}>
                    <th scope="row">{database.role === "asn" ? "networks" : "places"}</th>
                    <td>
                      <CutText text={database.type} />
                    </td>
                    <td class="whole">
                      {formatDay(database.builtAt)},{" "}
                      <StateMark mood={database.isOld ? "attention" : "good"}>
                        {formatDuration(serverNow.value - database.builtAt)} old
                      </StateMark>
                    </td>
                    <td class="number">{formatBytes(database.sizeBytes)}</td>
                    <td>
                      <ShareBar share={asked === 0 ? null : hit / asked} />
                    </td>
                    <td class="number">{formatCount(miss)}</td>
                    <td class="number">{formatCount(skipped)}</td>
                    <td class={error > 0 ? "number bad" : "number"}>{formatCount(error)}</td>
                    <td class="mono">
                      <CutText text={database.path} />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </section>
  );
}

function Fields({ fields }: { fields: EnrichmentAnswer["fields"] }) {
  const chosen = useSignal("source.geo.country_iso_code");
  const shown = fields.find(({ field }) => field === chosen.value) ?? fields[0];
  return (
    <section aria-labelledby="fields-title">
      <h2 id="fields-title">Events that got each field</h2>
      {shown && (
        <>
          <p class="muted">
            <code>{shown.field}</code> over 24 hours
          </p>
          <TimeChart
            series={shown.history}
            format={formatShare}
            label={`Share of events that got ${shown.field}`}
            heightPx={96}
            max={1}
          />
        </>
      )}
      <ScrollBox label="Fields, as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Share since the start</th>
              <th scope="col" class="number">
                Events
              </th>
              <th scope="col">24 hours</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ field, hits, events, history }) => (
              <tr key={field}>
                <th scope="row">
                  <button
                    type="button"
                    class="link-button"
                    aria-pressed={field === shown?.field}
                    onClick={() => {
                      chosen.value = field;
                    }}
                  >
                    <code>{field}</code>
                  </button>
                </th>
                <td>
                  <ShareBar share={events === 0 ? null : hits / events} />
                </td>
                <td class="number">{formatCount(hits)}</td>
                <td>
                  <Sparkline
                    values={history.values}
                    label={`share over 24 hours, now ${formatShare(history.values.findLast((value) => value !== null) ?? 0)}`}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </section>
  );
}

function Cache({ cache: { hits, misses } }: { cache: EnrichmentAnswer["cache"] }) {
  const asked = hits + misses;
  return (
    <section aria-labelledby="cache-title">
      <h2 id="cache-title">Cache of addresses</h2>
      <dl class="facts">
        <Fact name="Answered from it">
          <ShareBar share={asked === 0 ? null : hits / asked} />
        </Fact>
        <Fact name="Looked up">{formatCount(misses)}</Fact>
      </dl>
    </section>
  );
}

const dnsWords: Readonly<Record<string, string>> = {
  found: "a name was found",
  notFound: "the address has no name",
  failed: "the resolver could not tell",
  timedOut: "no answer in time",
  unreachable: "the resolver can't be reached",
  cached: "not asked: in the cache",
  overRate: "not asked: over max_qps",
  resolverAway: "not asked: the resolver is away",
};

function Dns({ dns }: { dns: EnrichmentAnswer["dns"] }) {
  return (
    <section aria-labelledby="dns-title">
      <h2 id="dns-title">Reverse DNS</h2>
      {dns === null ? (
        <p class="muted">
          Off: <code>enabled</code> in <code>[enrichment.dns]</code>.
        </p>
      ) : (
        <ul class="rows narrow">
          {Object.entries({ ...dns.questions, ...dns.unasked }).map(([result, count]) => (
            <li key={result}>
              {dnsWords[result] ?? result} <span class="number">{formatCount(count)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
