import { type Signal, useSignal } from "@preact/signals";
import type { EnrichmentAnswer } from "../../server/management/api/answers.ts";
import { formatDuration } from "../../server/text/duration.ts";
import { useApp } from "../components/app-context.ts";
import { CutText } from "../components/cut-text.tsx";
import { contents, DatabaseUpdates } from "../components/database-updates.tsx";
import { Fact } from "../components/fact.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ScrollBox } from "../components/scroll-box.tsx";
import { ShareBar } from "../components/share-bar.tsx";
import { SinceStart } from "../components/since.tsx";
import { Sparkline } from "../components/sparkline.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { TimeChart } from "../components/time-chart.tsx";
import { formatBytes, formatCount, formatShare } from "../format/numbers.ts";
import { formatDay, wholeSeconds } from "../format/times.ts";
import { pageTitle } from "../page-list.ts";

const intervalMs = 5_000;

/** The databases, how many events got each field, the address cache, reverse DNS, and the rules for own networks. */
export function EnrichmentPage() {
  const polled = usePolled<EnrichmentAnswer>("/api/v1/enrichment", intervalMs);
  return (
    <>
      <PageHead title={pageTitle("enrichment")} />
      <Resource of={polled} intervalMs={intervalMs} what="the enrichment">
        {(answer) => (
          <>
            <Databases answer={answer} />
            <DatabaseUpdates updates={answer.updates} />
            <Fields fields={answer.fields} />
            <Cache cache={answer.cache} />
            <Dns dns={answer.dns} />
            <IgnoreRules rules={answer.ignoreRules} />
          </>
        )}
      </Resource>
    </>
  );
}

type Database = EnrichmentAnswer["databases"][number];
type Field = EnrichmentAnswer["fields"][number];

function Databases({ answer: { databases } }: { answer: EnrichmentAnswer }) {
  return (
    <section aria-labelledby="databases-title">
      <h2 id="databases-title">Databases</h2>
      {databases.length === 0 ? (
        <p class="muted">
          No database is used. Set <code>geoip_db_path</code> and <code>asn_db_path</code> in{" "}
          <code>[enrichment]</code>, or <code>builtin_databases = true</code>.
        </p>
      ) : (
        <ScrollBox label="Databases">
          <table>
            <thead>
              <tr>
                <th scope="col">Content</th>
                <th scope="col">Type</th>
                <th scope="col">Built</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">Addresses found</th>
                <th scope="col" class="number">
                  Not found
                </th>
                <th scope="col" class="number">
                  Not public
                </th>
                <th scope="col" class="number">
                  Invalid records
                </th>
                <th scope="col">File</th>
              </tr>
            </thead>
            <tbody>
              {databases.map((database) => (
                <DatabaseRow
                  key={`${database.role} ${database.path}`}
                  database={database}
                  sharedBy={databases.filter(({ role }) => role === database.role)}
                />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
      {databases.map(
        ({ role, source }) =>
          source !== null && (
            <p key={role} class="muted">
              Built-in {contents[role]}: {source}
            </p>
          ),
      )}
    </section>
  );
}

interface DatabaseRowProps {
  readonly database: Database;
  /** The databases of the same role. The first row shows their lookups, which are counted together. */
  readonly sharedBy: readonly Database[];
}

function DatabaseRow({ database, sharedBy }: DatabaseRowProps) {
  const { serverNow } = useApp().clock;
  const { hit, miss, skipped, error } = database.lookups;
  const lookups = hit + miss + error;
  const rows = sharedBy.length;
  return (
    <tr>
      <th scope="row">{contents[database.role]}</th>
      <td>
        <CutText text={database.type} />
      </td>
      <td class="whole">
        {formatDay(database.builtAt)},{" "}
        <StateMark mood={database.isOld ? "attention" : "good"}>
          {formatDuration(wholeSeconds(serverNow.value - database.builtAt))} old
        </StateMark>
      </td>
      <td class="number">{formatBytes(database.sizeBytes)}</td>
      {database === sharedBy[0] && (
        <>
          <td rowSpan={rows}>
            <ShareBar share={lookups === 0 ? null : hit / lookups} />
          </td>
          <td rowSpan={rows} class="number">
            {formatCount(miss)}
          </td>
          <td rowSpan={rows} class="number">
            {formatCount(skipped)}
          </td>
          <td rowSpan={rows} class={error > 0 ? "number bad" : "number"}>
            {formatCount(error)}
          </td>
        </>
      )}
      <td class="mono">
        <CutText text={database.path} />
      </td>
    </tr>
  );
}

function Fields({ fields }: { fields: readonly Field[] }) {
  const chosen = useSignal("source.geo.country_iso_code");
  const shown = fields.find(({ field }) => field === chosen.value) ?? fields[0];
  return (
    <section aria-labelledby="fields-title">
      <h2 id="fields-title">Events by field</h2>
      {shown && (
        <>
          <p class="muted">
            The share of events that got <code>{shown.field}</code>, over 24 hours
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
      <ScrollBox label="Fields">
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">
                Share <SinceStart />
              </th>
              <th scope="col" class="number">
                Events
              </th>
              <th scope="col">24 hours</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field) => (
              <FieldRow key={field.field} field={field} isChosen={field === shown} chosen={chosen} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </section>
  );
}

interface FieldRowProps {
  readonly field: Field;
  readonly isChosen: boolean;
  /** Gets the field's name when its button is pressed. */
  readonly chosen: Signal<string>;
}

function FieldRow({ field: { field, hits, events, history }, isChosen, chosen }: FieldRowProps) {
  const latest = history.values.findLast((value) => value !== null) ?? 0;
  return (
    <tr>
      <th scope="row">
        <button
          type="button"
          class="link-button"
          aria-pressed={isChosen}
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
          label={`Share of events over 24 hours, latest ${formatShare(latest)}`}
        />
      </td>
    </tr>
  );
}

function Cache({ cache: { hits, misses } }: { cache: EnrichmentAnswer["cache"] }) {
  const lookups = hits + misses;
  return (
    <section aria-labelledby="cache-title">
      <h2 id="cache-title">Address cache</h2>
      <dl class="facts">
        <Fact name="Hit rate">
          <ShareBar share={lookups === 0 ? null : hits / lookups} />
        </Fact>
        <Fact name="Misses">{formatCount(misses)}</Fact>
      </dl>
    </section>
  );
}

/** The result of each lookup, in words. */
const dnsWords: Readonly<Record<string, string>> = {
  found: "name found",
  notFound: "the address has no name",
  failed: "the resolver reported an error",
  timedOut: "timed out",
  unreachable: "resolver unreachable",
  cached: "not queried: in the cache",
  overRate: "not queried: over max_qps",
  resolverAway: "not queried: resolver unreachable",
};

function Dns({ dns }: { dns: EnrichmentAnswer["dns"] }) {
  return (
    <section aria-labelledby="dns-title">
      <h2 id="dns-title">Reverse DNS</h2>
      {dns === null ? (
        <p class="muted">
          Reverse DNS is off. Set <code>enabled = true</code> in <code>[enrichment.dns]</code>.
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

type IgnoreRule = EnrichmentAnswer["ignoreRules"][number];

function IgnoreRules({ rules }: { rules: readonly IgnoreRule[] }) {
  return (
    <section aria-labelledby="ignore-title">
      <h2 id="ignore-title">Ignore rules</h2>
      {rules.length === 0 ? (
        <p class="muted">
          No rule is configured. An <code>[[ignore]]</code> rule tags or drops the events from networks of
          your own.
        </p>
      ) : (
        <ScrollBox label="Ignore rules">
          <table>
            <thead>
              <tr>
                <th scope="col">Rule</th>
                <th scope="col">Networks</th>
                <th scope="col">Action</th>
                <th scope="col" class="number">
                  Events <SinceStart />
                </th>
              </tr>
            </thead>
            <tbody>
              {rules.map((rule) => (
                <IgnoreRuleRow key={rule.name} rule={rule} />
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </section>
  );
}

function IgnoreRuleRow({
  rule: { name, networks, networkCount, action, tag, events },
}: {
  rule: IgnoreRule;
}) {
  const hidden = networkCount - networks.length;
  return (
    <tr>
      <th scope="row">
        <CutText text={name} />
      </th>
      <td class="mono">
        {networks.join(", ")}
        {hidden > 0 && ` and ${formatCount(hidden)} more`}
      </td>
      <td>
        {action === "drop" ? (
          "drop"
        ) : (
          <>
            tag <CutText text={tag ?? ""} class="mono" />
          </>
        )}
      </td>
      <td class="number">{formatCount(events)}</td>
    </tr>
  );
}
