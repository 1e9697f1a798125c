import { existsSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The demo's own folder, and the files in it that more than one part reads. */
export interface DemoFolder {
  readonly root: string;
  readonly logs: string;
  readonly config: string;
  readonly data: string;
  readonly work: string;
  readonly evidence: string;
}

/** Makes an empty folder for one demo. */
export async function createDemoFolder(): Promise<DemoFolder> {
  const root = await mkdtemp(join(tmpdir(), "runbookd-demo-"));
  const folder = {
    root,
    logs: join(root, "logs"),
    config: join(root, "config"),
    data: join(root, "data"),
    work: join(root, "work"),
    evidence: join(root, "evidence.jsonl"),
  };
  for (const path of [folder.logs, folder.config, folder.data, folder.work]) await mkdir(path);
  return folder;
}

/** The project's root: the nearest folder above `start` that has the shipped alerts. Throws when there is none. */
export function findProjectRoot(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json")) && existsSync(join(folder, "alerts", "prometheus.yml"))) return folder;
    if (folder === dirname(folder)) throw new Error(`No folder above ${start} has package.json and alerts/prometheus.yml.`);
  }
}
