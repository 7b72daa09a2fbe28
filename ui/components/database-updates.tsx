import type { EnrichmentAnswer } from "../../server/management/api/answers.ts";
import { CutText } from "./cut-text.tsx";
import { ScrollBox } from "./scroll-box.tsx";
import { StateMark } from "./state-mark.tsx";
import { Ago, Until } from "./times.tsx";

type Update = EnrichmentAnswer["updates"][number];

/** What a database contains, by its role. */
export const contents = { geoip: "places", asn: "networks" } as const;

/** Nothing if Loom downloads no database. */
export function DatabaseUpdates({ updates }: { updates: readonly Update[] }) {
  if (updates.length === 0) return null;
  return (
    <section aria-labelledby="updates-title">
      <h2 id="updates-title">Updates</h2>
      <ScrollBox label="Updates">
        <table>
          <thead>
            <tr>
              <th scope="col">Content</th>
              <th scope="col">Source</th>
              <th scope="col">State</th>
              <th scope="col">Last success</th>
              <th scope="col">Next check</th>
            </tr>
          </thead>
          <tbody>
            {updates.map((update) => (
              <UpdateRow key={update.role} update={update} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </section>
  );
}

function UpdateRow({ update: { role, source, succeededAt, nextAt, lastError } }: { update: Update }) {
  return (
    <tr>
      <th scope="row">{contents[role]}</th>
      <td class="mono">
        <CutText text={source} />
      </td>
      <td>
        {lastError === null ? (
          <StateMark mood={succeededAt === null ? "calm" : "good"}>
            {succeededAt === null ? "not downloaded yet" : "up to date"}
          </StateMark>
        ) : (
          <>
            <StateMark mood="attention">failing</StateMark> <CutText text={lastError.reason} />
          </>
        )}
      </td>
      <td class="whole">
        <Ago at={succeededAt} />
      </td>
      <td class="whole">{nextAt === null ? "running" : <Until at={nextAt} />}</td>
    </tr>
  );
}
