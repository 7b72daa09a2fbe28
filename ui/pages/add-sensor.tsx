import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type {
  RefusalsAnswer,
  SensorDetailAnswer,
  SensorsAnswer,
  SetupAnswer,
} from "../../server/management/api/answers.ts";
import { CopyButton } from "../components/copy-button.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ScrollBox } from "../components/scroll-box.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { Ago } from "../components/times.tsx";
import { formatThings } from "../format/numbers.ts";
import { sensorLink } from "../models/links.ts";
import { freeId, isUsableId, newToken, type SensorSnippets, sensorSnippets } from "../models/new-sensor.ts";
import { pageTitle } from "../page-list.ts";

const setupIntervalMs = 30_000;
const waitIntervalMs = 1_000;

/** The configuration to paste for a new sensor, and whether its first event has arrived. */
export function AddSensorPage() {
  const setup = usePolled<SetupAnswer>("/api/v1/setup", setupIntervalMs);
  const existing = useExistingIds();
  /** undefined: nothing was typed yet. */
  const typed = useSignal<string | undefined>(undefined);
  const id = typed.value ?? freeId(existing);
  const token = useMemo(newToken, []);
  const isUsable = isUsableId(id);
  return (
    <>
      <PageHead title={pageTitle("addSensor")}>
        <a href="/sensors">All sensors</a>
      </PageHead>
      <p>
        <label for="new-id">Sensor id</label>{" "}
        <input
          id="new-id"
          value={id}
          maxLength={63}
          spellcheck={false}
          autocomplete="off"
          aria-describedby="id-rule"
          aria-invalid={!isUsable}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />{" "}
        <span id="id-rule" class={isUsable ? "muted" : "bad"}>
          letters, digits and “-”, but not “unknown”
        </span>
      </p>
      {existing.has(id) && <IdExists id={id} />}
      {isUsable && !existing.has(id) && (
        <Resource of={setup} intervalMs={setupIntervalMs} what="the configuration">
          {(answer) => <Steps setup={answer} id={id} token={token} />}
        </Resource>
      )}
    </>
  );
}

/** The sensors at the time when the page was opened: the one that is being added will exist too before long. */
function useExistingIds(): ReadonlySet<string> {
  const sensors = usePolled<SensorsAnswer>("/api/v1/sensors", setupIntervalMs).answer.value?.sensors;
  const existing = useRef<ReadonlySet<string> | undefined>(undefined);
  if (sensors) existing.current ??= new Set(sensors.map(({ id }) => id));
  return existing.current ?? noIds;
}

const noIds: ReadonlySet<string> = new Set();

function IdExists({ id }: { id: string }) {
  return (
    <p role="alert">
      <StateMark mood="bad">
        A sensor with this id exists: <a href={sensorLink(id)}>{id}</a>. Choose another id, because Loom
        accepts only one token for each sensor.
      </StateMark>
    </p>
  );
}

function Steps({ setup, id, token }: { setup: SetupAnswer; id: string; token: string }) {
  const snippets = sensorSnippets(setup, location.hostname, id, token);
  return (
    <ol class="steps">
      <li>
        <h2>Add the token to Loom</h2>
        <TokenStep tokenFile={setup.tokenFile} snippets={snippets} />
        <p class="muted">
          This page has just generated the token and does not store it. Copy it before you leave the page.
        </p>
      </li>
      <li>
        <h2>Configure the sensor</h2>
        <p>
          Add this to Spip's <code>config.toml</code>, then restart Spip:
        </p>
        <Snippet text={snippets.spip} />
      </li>
      <li>
        <h2>Or test with curl</h2>
        <Snippet text={snippets.curl} />
      </li>
      <li>
        <h2>Wait for the first event</h2>
        <FirstEvent key={id} id={id} />
      </li>
    </ol>
  );
}

function TokenStep({ tokenFile, snippets }: { tokenFile: string | null; snippets: SensorSnippets }) {
  if (tokenFile === null)
    return (
      <>
        <p>Set this variable in Loom's environment, then restart Loom:</p>
        <Snippet text={snippets.environment} />
        <p class="muted">
          With <code>auth.token_file</code> set, you can add the line <code>{snippets.tokenLine}</code> to
          that file instead and reload Loom with SIGHUP, without a restart.
        </p>
      </>
    );
  return (
    <>
      <p>
        Add this line to <code>{tokenFile}</code>, then reload Loom with SIGHUP (
        <code>systemctl reload loom</code>):
      </p>
      <Snippet text={snippets.tokenLine} />
      <p>Or set this variable in Loom's environment, then restart Loom:</p>
      <Snippet text={snippets.environment} />
    </>
  );
}

function Snippet({ text }: { text: string }) {
  return (
    <div class="snippet">
      <ScrollBox label="Text to copy">
        <pre>{text}</pre>
      </ScrollBox>
      <CopyButton text={text} />
    </div>
  );
}

/** Whether Loom knows the sensor, whether its requests are refused, and whether events arrive. */
function FirstEvent({ id }: { id: string }) {
  const polled = usePolled<SensorDetailAnswer>(`/api/v1/sensors/${encodeURIComponent(id)}`, waitIntervalMs);
  const refusals = usePolled<RefusalsAnswer>("/api/v1/refusals", waitIntervalMs);
  const sensor = polled.answer.value?.sensor;
  const isUnknown = polled.problem.value?.status === 404;
  return (
    <div role="status" aria-live="polite">
      <p>
        {sensor?.isConfigured && !isUnknown ? (
          <StateMark mood="good">Loom knows the sensor.</StateMark>
        ) : (
          <StateMark mood="calm">Loom does not know this sensor yet (step 1).</StateMark>
        )}
      </p>
      {refusals.answer.value && <LatestRefusal answer={refusals.answer.value} id={id} />}
      <p>
        {sensor && sensor.lastBatchAt !== null ? (
          <StateMark mood="good">
            Events arrive: {formatThings(sensor.keptEvents, "event")}, the last{" "}
            <Ago at={sensor.lastBatchAt} />. <a href={sensorLink(id)}>Show the sensor</a>
          </StateMark>
        ) : (
          <StateMark mood="calm">Waiting for the first event…</StateMark>
        )}
      </p>
    </div>
  );
}

/** The latest refused request with the id or the token of a sensor, with the cause and the fix. */
function LatestRefusal({ answer: { refusals, advice }, id }: { answer: RefusalsAnswer; id: string }) {
  const refusal = refusals.find(({ sensorId, claimedSensorId }) => sensorId === id || claimedSensorId === id);
  if (!refusal) return null;
  const known = advice[refusal.reason];
  return (
    <p>
      <StateMark mood="bad">
        {formatThings(refusal.count, "request")} refused: {refusal.reason}, the last{" "}
        <Ago at={refusal.lastAt} />.
      </StateMark>{" "}
      {known && `${known.cause} ${known.cure}`}
    </p>
  );
}
