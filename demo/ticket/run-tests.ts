import { execFile } from "node:child_process";

/** What the repository's own tests came to. */
export interface TestRun {
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The end of what was printed. */
  readonly said: string;
}

/** Runs the tests of a folder with node's own runner, in a process of their own. */
export async function runTests(folder: string): Promise<TestRun> {
  const { PATH = "" } = process.env;
  return new Promise((resolve) => {
    const args = ["--test", "--test-reporter=tap", "test/"];
    execFile(process.execPath, args, { cwd: folder, env: { PATH }, timeout: 60_000 }, (error, stdout, stderr) => {
      const count = (word: string) => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(stdout)?.[1] ?? "0");
      const [passed, failed, skipped] = [count("pass"), count("fail"), count("skipped")];
      resolve({ ok: error === null && passed > 0, passed, failed, skipped, said: `${stdout}${stderr}`.slice(-2000) });
    });
  });
}
