import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { RefusalsAnswer, SensorDetailAnswer, SetupAnswer } from "../../server/management/api/answers.ts";
import { CopyButton } from "../components/copy-button.tsx";
import { PageHead } from "../components/page-head.tsx";
import { Resource, usePolled } from "../components/resource.tsx";
import { ScrollBox } from "../components/scroll-box.tsx";
import { StateMark } from "../components/state-mark.tsx";
import { Ago } from "../components/times.tsx";
import { formatThings } from "../format/numbers.ts";
import { isUsableId, newToken, sensorSnippets } from "../models/new-sensor.ts";

const setupIntervalMs = 30_000;
const waitIntervalMs = 1_000;

/** What to paste where for a new sensor, and then a wait for its first event. */
export function AddSensorPage() {
  const setup = usePolled<SetupAnswer>("/api/v1/setup", setupIntervalMs);
  const id = useSignal("vps-1");
  const token = useMemo(newToken, []);
  const isUsable = isUsableId(id.value);
  return (
    <>
      <PageHead title="Add a sensor">
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
            id.value = event.currentTarget.value;
          }}
        />{" "}
        <span id="id-rule" class={isUsable ? "muted" : "bad"}>
          letters, digits and “-”
        </span>
      </p>
      {isUsable && (
        <Resource of={setup} intervalMs={setupIntervalMs} what="what to paste">
          {(answer) => <Steps setup={answer} id={id.value} token={token} />}
        </Resource>
      )}
    </>
  );
}

function Steps({ setup, id, token }: { setup: SetupAnswer; id: string; token: string }) {
  const snippets = sensorSnippets(setup, location.hostname, id, token);
  return (
    <ol class="steps">
      <li>
        <h2>Tell Loom its token</h2>
        {setup.tokenFile === null ? (
          <>
            <p>In Loom's environment; then restart Loom:</p>
            <Snippet text={snippets.environment} />
            <p class="muted">
              With <code>auth.token_file</code> set, the line <code>{snippets.tokenLine}</code> in that file
              and a reload (SIGHUP) would do without a restart.
            </p>
          </>
        ) : (
          <>
            <p>
              A line in <code>{setup.tokenFile}</code>; then reload Loom with SIGHUP (
              <code>systemctl reload loom</code>):
            </p>
            <Snippet text={snippets.tokenLine} />
            <p>Or in Loom's environment; then restart Loom:</p>
            <Snippet text={snippets.environment} />
          </>
        )}
        <p class="muted">
          The token was made in this page just now. It is stored nowhere: copy it before you leave.
        </p>
      </li>
      <li>
        <h2>Tell the sensor</h2>
        <p>
          In Spip's <code>config.toml</code>; then restart Spip:
        </p>
        <Snippet text={snippets.spip} />
      </li>
      <li>
        <h2>Or try it with curl</h2>
        <Snippet text={snippets.curl} />
      </li>
      <li>
        <h2>Wait for its first event</h2>
        <FirstEvent key={id} id={id} />
      </li>
    </ol>
  );
}

function Snippet({ text }: { text: string }) {
  return (
    <div class="snippet">
      <ScrollBox label="To be copied">
        <pre>{text}</pre>
      </ScrollBox>
      <CopyButton text={text} />
    </div>
  );
}

/** Says how far it has come, and why not further. */
function FirstEvent({ id }: { id: string }) {
  const polled = usePolled<SensorDetailAnswer>(`/api/v1/sensors/${encodeURIComponent(id)}`, waitIntervalMs);
  const refusals = usePolled<RefusalsAnswer>("/api/v1/refusals", waitIntervalMs);
  const answer = polled.answer.value;
  const sensor = answer?.sensor;
  const isUnknown = polled.problem.value?.status === 404;
  const refused = refusals.answer.value?.refusals.find(
    ({ sensorId, claimedSensorId }) => sensorId === id || claimedSensorId === id,
  );
  const advice = refused && refusals.answer.value?.advice[refused.reason];
  return (
    <div role="status" aria-live="polite">
      <p>
        {sensor?.isConfigured && !isUnknown ? (
          <StateMark mood="good">Loom knows the sensor.</StateMark>
        ) : (
          <StateMark mood="calm">Loom does not know this sensor yet: step 1.</StateMark>
        )}
      </p>
      {refused && (
        <p>
          <StateMark mood="bad">
            {formatThings(refused.count, "request")} refused: {refused.reason}, the last one{" "}
            <Ago at={refused.lastAt} />.
          </StateMark>{" "}
          {advice && `${advice.cause} ${advice.cure}`}
        </p>
      )}
      <p>
        {sensor && sensor.lastBatchAt !== null ? (
          <StateMark mood="good">
            Events arrive: {formatThings(sensor.keptEvents, "event")}, the last{" "}
            <Ago at={sensor.lastBatchAt} />. <a href={`/sensors/${encodeURIComponent(id)}`}>See them</a>
          </StateMark>
        ) : (
          <StateMark mood="calm">Waiting for the first event…</StateMark>
        )}
      </p>
    </div>
  );
}
