import { useLocation } from "preact-iso";
import type { AttacksAnswer, AttackWindow } from "../../server/management/api/answers.ts";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { Since } from "../components/since.tsx";
import { TopList } from "../components/top-list.tsx";
import { WorldMap } from "../components/world-map.tsx";
import { formatCount, formatShare, formatThings } from "../format/numbers.ts";
import { pausesSentence } from "../format/pauses.ts";
import { columnLink, fingerprintLink, keyLink } from "../models/links.ts";
import { pageTitle } from "../page-list.ts";

const intervalMs = 3_000;
const windows: readonly { readonly value: AttackWindow; readonly name: string }[] = [
  { value: "5m", name: "5 minutes" },
  { value: "1h", name: "1 hour" },
  { value: "24h", name: "24 hours" },
  { value: "7d", name: "7 days" },
  { value: "30d", name: "30 days" },
];

/** Where attacks come from and what they try. */
export function AttacksPage() {
  const { query } = useLocation();
  const window = windows.find(({ value }) => value === query.window)?.value ?? "1h";
  const polled = usePolled<AttacksAnswer>(`/api/v1/attacks?window=${window}`, intervalMs);
  return (
    <>
      <PageHead title={pageTitle("attacks")}>
        <nav class="choices" aria-label="Period">
          {windows.map(({ value, name }) => (
            <a
              key={value}
              href={`/attacks?window=${value}`}
              aria-current={value === window ? "true" : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
      </PageHead>
      <Resource of={polled} intervalMs={intervalMs} what="the attacks">
        {(answer) =>
          answer.kept === 0 && answer.examined === 0 ? (
            <p class="placeholder">No events in this period.</p>
          ) : (
            <Attacks answer={answer} />
          )
        }
      </Resource>
    </>
  );
}

function Attacks({ answer }: { answer: AttacksAnswer }) {
  return (
    <>
      <p class="muted" role="status">
        {countsSentence(answer)}{" "}
        {!answer.isWhole && (
          <>
            This is not the whole period: Loom has counted <Since at={answer.sinceAt} />.{" "}
          </>
        )}
        {pausesSentence(answer.pauses)}
      </p>
      <WorldMap places={answer.places} otherPlaces={answer.otherPlaces} notLocated={answer.notLocated} />
      <div class="columns">
        <TopList title="Countries" list={answer.countries} hrefOf={(key) => columnLink("country", key)} />
        <TopList
          title="Networks"
          prefix="AS"
          list={answer.networks}
          hrefOf={(key) => columnLink("asn", key)}
        />
        <TopList title="Addresses" list={answer.addresses} hrefOf={(key) => columnLink("ip", key)} />
        <TopList title="Ports" list={answer.ports} hrefOf={(key) => columnLink("port", key)} />
        <TopList title="Paths" list={answer.paths} hrefOf={(key) => keyLink("path", key)} />
        <TopList title="User agents" list={answer.userAgents} hrefOf={(key) => keyLink("user_agent", key)} />
        <TopList title="Fingerprints" list={answer.fingerprints} hrefOf={fingerprintLink} />
      </div>
    </>
  );
}

function countsSentence({ kept, examined }: AttacksAnswer): string {
  const events = formatThings(kept, "event");
  if (examined >= kept) return `${events}.`;
  const share = formatShare(examined / kept);
  return `${events}. The counts below cover the ${formatCount(examined)} (${share}) that Loom sampled, because events arrived faster than it samples.`;
}
