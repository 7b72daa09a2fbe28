import type { Config, SensorCredential } from "./config/config.ts";
import { loadSensors } from "./config/sensors.ts";
import type { AddressDatabases } from "./enrich/databases.ts";
import type { IgnoreRules } from "./enrich/ignore-rules.ts";
import type { Listener } from "./http/listener.ts";
import { loadTlsCertificate, type TlsCertificate } from "./http/tls-certificate.ts";
import type { Authenticator } from "./ingest/authentication.ts";
import { SerialQueue } from "./serial-queue.ts";
import type { Log } from "./telemetry/log.ts";

/*
 * The files that Loom reads at the start and again on SIGHUP: tokens, certificate, [[ignore]] rules and databases. A file
 * that is wrong ends the start; on a reload it is logged, and what was read from it before stays in use.
 */

export interface ReloadableFiles {
  readonly config: Config;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Reads the configuration file again. @throws ConfigError; undefined: there is no file */
  readonly readConfig?: () => Promise<Config>;
}

/** Reads the sensors' tokens from the environment and the token file. @throws Error */
export async function readSensors({
  config,
  environment,
  log,
}: ReloadableFiles): Promise<readonly SensorCredential[]> {
  const { sensors, warnings } = await loadSensors(config.auth, environment);
  for (const warning of warnings) log.warn(warning);
  return sensors;
}

/** Reads the certificate that both ports use; undefined: no port uses TLS. @throws Error */
export async function readCertificate({ config, log }: ReloadableFiles): Promise<TlsCertificate | undefined> {
  const files = config.server.tls ?? config.server.managementTls;
  if (!files) return undefined;
  const certificate = await loadTlsCertificate(files);
  if (certificate.expiresAt.getTime() < Date.now())
    log.warn("the certificate has expired", { expired: certificate.expiresAt.toISOString() });
  if (certificate.validFrom.getTime() > Date.now())
    log.warn(
      "the certificate is not valid yet; clients refuse it until then, or the clock of this machine is wrong",
      {
        valid_from: certificate.validFrom.toISOString(),
      },
    );
  return certificate;
}

export interface ReloadTargets {
  readonly authenticator: Pick<Authenticator, "replace">;
  readonly listeners: readonly Pick<Listener, "useCertificate">[];
  readonly ignoreRules: Pick<IgnoreRules, "replace">;
  readonly databases: Pick<AddressDatabases, "reload">;
}

/** Reads the files again and hands what they hold to the stages that use it. */
export class Reloader {
  readonly #files: ReloadableFiles;
  readonly #targets: ReloadTargets;
  readonly #reloads = new SerialQueue();

  constructor(files: ReloadableFiles, targets: ReloadTargets) {
    this.#files = files;
    this.#targets = targets;
  }

  /** Reloads everything. Never rejects: what is wrong is logged. */
  reload(): Promise<void> {
    // One after another: two signals in a row must not replace the certificate at the same time.
    return this.#reloads.run(() => this.#reloadAll());
  }

  async #reloadAll(): Promise<void> {
    const { authenticator, listeners, ignoreRules, databases } = this.#targets;
    await this.#reloadPart("tokens", async () => authenticator.replace(await readSensors(this.#files)));
    const { tls, managementTls } = this.#files.config.server;
    if (tls ?? managementTls)
      await this.#reloadPart("certificate", async () => {
        const certificate = await readCertificate(this.#files);
        if (certificate) for (const listener of listeners) listener.useCertificate(certificate);
      });
    const { readConfig } = this.#files;
    // Of the file itself, only the rules take effect without a restart. The whole file is checked, so that an error is
    // found now and not at the next start.
    if (readConfig)
      await this.#reloadPart("ignore rules", async () => ignoreRules.replace((await readConfig()).ignore));
    await databases.reload();
  }

  async #reloadPart(part: string, reload: () => Promise<void>): Promise<void> {
    const { log } = this.#files;
    try {
      await reload();
      log.info("reloaded", { part });
    } catch (error) {
      log.error("cannot reload; the previous content stays in use", {
        part,
        error: (error as Error).message,
      });
    }
  }
}
