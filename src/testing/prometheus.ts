import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findBinary } from "./find-binary.ts";
import { freePort } from "../demo/free-ports.ts";
import { isReadyAt, spawnService } from "./spawn-service.ts";

/** A real Prometheus of a test's own. */
export interface PrometheusServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Where its configuration lies; paths in it are relative to this folder. */
  readonly folder: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  output(): string;
}

/**
 * Starts Prometheus on a free loopback port with the text of a `prometheus.yml` and of the files it names (path → text).
 * An alert that fires before the discovery of Alertmanager is through (5 s) is sent again after 1 s instead of a minute.
 * `flags` are further arguments, such as `--query.lookback-delta=5s` for a compressed time scale.
 */
export async function startPrometheus({
  config,
  files = {},
  flags = [],
}: {
  readonly config: string;
  readonly files?: { readonly [path: string]: string };
  readonly flags?: readonly string[];
}): Promise<PrometheusServer> {
  const binary = findBinary("prometheus");
  const folder = await mkdtemp(join(tmpdir(), "rb-prometheus-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await writeFile(join(folder, "prometheus.yml"), config);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const service = await spawnService(
    binary,
    [
      ["--config.file", join(folder, "prometheus.yml"), "--storage.tsdb.path", join(folder, "data")],
      ["--web.listen-address", `127.0.0.1:${port}`, "--log.level", "warn", "--rules.alert.resend-delay", "1s", ...flags],
    ].flat(),
    () => isReadyAt(`${url}/-/ready`),
    { cwd: folder },
  );
  return {
    url,
    port,
    folder,
    stop: (signal) => service.stop(signal),
    output: () => service.output(),
    async [Symbol.asyncDispose]() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
