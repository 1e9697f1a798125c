import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createFreezeFile } from "./freeze-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rb-freeze-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

it("freezes everything while it exists, and says its text", async () => {
  const clock = createFakeClock();
  const path = join(folder, "freeze");
  const file = createFreezeFile(path, clock);
  expect(await file.standing()).toBeUndefined();
  await writeFile(path, "  release of the gateway\nask ann \n");
  await clock.advance(1000);
  expect(await file.standing()).toMatchObject({ scope: "all", reason: "release of the gateway ask ann", undo: true });
  await rm(path);
  await clock.advance(1000);
  expect(await file.standing()).toBeUndefined();
});

it("is not read more often than once a second", async () => {
  const clock = createFakeClock();
  const path = join(folder, "freeze");
  const file = createFreezeFile(path, clock);
  await file.standing();
  await writeFile(path, "");
  await clock.advance(999);
  expect(await file.standing()).toBeUndefined();
  await clock.advance(1);
  expect(await file.standing()).toMatchObject({ reason: "the file is there" });
});

it("forbids undo with a line of its own", async () => {
  const path = join(folder, "freeze");
  await writeFile(path, "no-undo\nthe target is under repair");
  expect(await createFreezeFile(path, createFakeClock()).standing()).toMatchObject({ undo: false, reason: "the target is under repair" });
});

it("freezes when it is there and cannot be read", async () => {
  const path = join(folder, "freeze");
  await mkdir(path);
  expect(await createFreezeFile(path, createFakeClock()).standing()).toMatchObject({ scope: "all", reason: "the file cannot be read" });
});
