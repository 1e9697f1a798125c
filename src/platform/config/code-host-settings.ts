import { z } from "zod";

const gitRepository = z.strictObject({
  path: z
    .string()
    .max(4096)
    .regex(/^\/[^\0]*$/, "must be an absolute path"),
  /** The branch that changes go into. */
  main: z
    .string()
    .max(200)
    .regex(/^(?![-./])[\w./-]+(?<![./])$/, "must be the name of a branch")
    .default("main"),
});

/** `git_repositories` of runbookd.yml: where the repositories of features are kept whose code_host is git. */
export const gitRepositoriesSchema = z
  .record(z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[\w.-]{1,100}$/, "must be owner/name"), gitRepository)
  .refine((all) => Object.keys(all).length <= 200, "holds more than 200 repositories");
