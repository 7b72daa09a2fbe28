import type { TlsCertificate } from "../http/tls-certificate.ts";
import type { MetricRegistry } from "../telemetry/metric-registry.ts";
import { createDashboard, type Dashboard, type DashboardSources } from "./dashboard.ts";
import { type ManagementServer, startManagementServer } from "./management-server.ts";

export interface ManagementSources extends DashboardSources {
  /** The certificate that both ports use; undefined: neither uses TLS. */
  readonly certificate: TlsCertificate | undefined;
  readonly metrics: MetricRegistry;
}

/** The management port and the dashboard that it serves. */
export interface Management {
  readonly dashboard: Pick<Dashboard, "observe" | "noteRefusal" | "stop">;
  readonly server: ManagementServer;
}

/**
 * Starts the dashboard and the server of the management port.
 * @returns undefined if no management port is configured
 * @throws ListenError
 */
export function startManagement(sources: ManagementSources): Management | undefined {
  const { config, metrics, certificate } = sources;
  const { managementListenAddress, managementTls, managementHostNames, trustedProxies } = config.server;
  if (!managementListenAddress) return undefined;
  const dashboard = createDashboard(sources);
  const server = startManagementServer({
    ...sources,
    ...config.management,
    address: managementListenAddress,
    hostNames: managementHostNames,
    trustedProxies,
    certificate: managementTls && certificate,
    metrics: config.observability.metricsEnabled ? metrics : undefined,
    routes: dashboard.routes,
  });
  return { dashboard, server };
}
