import { createSystemClock } from "../src/core/clock.ts";
import { demoHelp, parseDemoOptions } from "./demo-options.ts";
import { createLivePresenter, createPlainPresenter } from "./presenter.ts";
import { runDemo } from "./run-demo.ts";

const parsed = parseDemoOptions(process.argv.slice(2));
if (parsed.kind === "help") {
  console.log(demoHelp);
} else if (parsed.kind === "wrong") {
  console.error(`${parsed.message}\n\n${demoHelp}`);
  process.exitCode = 2;
} else {
  const clock = createSystemClock();
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stopping.abort(new Error(name)));
  const coloured = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  const print = (line: string) => console.log(line);
  const presenter = process.stdout.isTTY ? createLivePresenter(process.stdout, coloured) : createPlainPresenter(print, () => clock.now());
  process.exitCode = await runDemo({
    options: parsed.options,
    clock,
    presenter,
    signal: stopping.signal,
    print,
    programFolder: import.meta.dirname,
  });
}
