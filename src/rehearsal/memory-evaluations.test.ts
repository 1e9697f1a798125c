import { describeEvaluations } from "../../test/contracts/describe-evaluations.ts";
import { createMemoryEvaluations } from "./memory-evaluations.ts";

describeEvaluations("memory", async () => createMemoryEvaluations());
