import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createRecordedLog } from "../../test/fakes/recorded-log.ts";
import { startMetrics } from "./start-metrics.ts";

it("listens where the setting for metrics says, and nowhere else", async () => {
  const closing: (() => void | Promise<void>)[] = [];
  const server = await startMetrics(
    {
      clock: createFakeClock(),
      log: createRecordedLog(),
      closers: { add: (_name, close) => void closing.push(close) },
      config: { metricsHost: "127.0.0.2" },
      metrics: { contentType: "text/plain", metrics: async () => "up 1\n" },
    },
    0,
  );
  try {
    const { port } = server.address;
    expect(await (await fetch(`http://127.0.0.2:${port}/metrics`)).text()).toBe("up 1\n");
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow("fetch failed");
  } finally {
    for (const close of closing) await close();
  }
});
