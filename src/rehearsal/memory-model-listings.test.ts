import { describeModelListings } from "../../test/contracts/describe-model-listings.ts";
import { createMemoryModelListings } from "./memory-model-listings.ts";

describeModelListings("memory", async () => createMemoryModelListings());
