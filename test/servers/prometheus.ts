import { join } from "node:path";
import { findProgram } from "../../demo/find-program.ts";
import { type ServiceOnPort, startOnPort } from "./start-on-port.ts";

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
}): Promise<ServiceOnPort> {
  return startOnPort(findProgram("prometheus"), { ...files, "prometheus.yml": config }, (folder, address) =>
    [
      ["--config.file", join(folder, "prometheus.yml"), "--storage.tsdb.path", join(folder, "data")],
      ["--web.listen-address", address, "--log.level", "warn", "--rules.alert.resend-delay", "1s", ...flags],
    ].flat(),
  );
}
