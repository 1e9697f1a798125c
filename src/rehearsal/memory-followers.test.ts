import { describeFollowerBook } from "../../test/contracts/describe-follower-book.ts";
import { createMemoryFollowers } from "./memory-followers.ts";

describeFollowerBook("memory", async (clock) => createMemoryFollowers(clock));
