import { describeModelRoutes } from "../../test/contracts/describe-model-routes.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryModelRoutes } from "./memory-model-routes.ts";

describeModelRoutes("memory", async () => createMemoryModelRoutes(createFakeClock()));
