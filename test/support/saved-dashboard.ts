import type {
  AttacksAnswer,
  OverviewAnswer,
  SensorAnswer,
  SensorDetailAnswer,
  SensorsAnswer,
} from "../../server/management/api/answers.ts";
import { type RunningLoom, sensorId } from "./executable.ts";
import { adminToken } from "./view.ts";

/** The answers of the dashboard of a running Loom with the sign-in token of `viewOf`. */
export async function dashboardOf({ managementUrl }: Pick<RunningLoom, "managementUrl">) {
  const session = await fetch(`${managementUrl}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: adminToken }),
  });
  const cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
  async function get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`${managementUrl}/api/v1${path}`, { headers: { cookie } });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return JSON.parse(await response.text());
  }
  return {
    overview: () => get<OverviewAnswer>("/overview"),
    sensors: () => get<SensorsAnswer>("/sensors"),
    attacks: (window: string) => get<AttacksAnswer>(`/attacks?window=${window}`),
    detail: () => get<SensorDetailAnswer>(`/sensors/${sensorId}`),
    async sensor(): Promise<SensorAnswer> {
      const { sensors } = await get<SensorsAnswer>("/sensors");
      const found = sensors.find(({ id }) => id === sensorId);
      if (!found) throw new Error(`no sensor ${sensorId}`);
      return found;
    },
  };
}
