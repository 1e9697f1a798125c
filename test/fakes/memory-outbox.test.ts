import { describeOutbox } from "../contracts/describe-outbox.ts";
import { createMemoryOutbox } from "./memory-outbox.ts";

describeOutbox("the outbox in memory", async () => createMemoryOutbox());
