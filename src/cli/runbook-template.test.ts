import { expect, it } from "@jest/globals";
import { requestFromPerson } from "../alerts/prepare-run.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import { parseRunbook } from "../runbooks/parse/parse-runbook.ts";
import { runbookTemplate } from "./runbook-template.ts";

it("is a document that a person can start by hand, without any alert", () => {
  const source = runbookTemplate("payment-backlog")["runbooks/payment-backlog.md"] ?? "";
  const { runbook, diagnostics } = parseRunbook({ file: "payment-backlog.md", source, catalogue: actionCatalogue });
  expect(diagnostics).toEqual([]);
  if (runbook === undefined) throw new Error("The scaffold is no runbook.");
  expect(requestFromPerson(runbook, { params: { job: "api" }, requester: "ann" })).toMatchObject({
    ok: true,
    request: { target: "job/api", params: { job: "api" } },
  });
});
