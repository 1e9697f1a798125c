import { describeModelRoutes } from "../contracts/describe-model-routes.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryModelRoutes } from "./memory-model-routes.ts";

describeModelRoutes("memory", async () => createMemoryModelRoutes(createFakeClock()));
