import { describeHoneytokens } from "../../test/contracts/describe-honeytokens.ts";
import { createSystemRandom } from "../core/random.ts";
import { createMemoryHoneytokens } from "./memory-honeytokens.ts";

describeHoneytokens("memory", async () => createMemoryHoneytokens(createSystemRandom()));
