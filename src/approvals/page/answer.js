// The page behind a mailed link. It shows a question to whoever has a token, and sends one answer when a person says so; everything that comes
// from the server is put in as text. The link's token is in the fragment, which a browser never sends.
const element = (id) => document.getElementById(id);
const id = location.pathname.split("/").at(-1) ?? "";
const link = location.hash.slice(1);
// Neither the history nor a screenshot of the address keeps it.
history.replaceState(null, "", location.pathname);

let token = "";
let planSha;

// What a reader's eye does not see, or what turns text: control and format characters, and every one that Unicode draws as nothing.
const hidden = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** A text in which such characters are written out, so that what is approved is what is read. */
const visible = (text) =>
  String(text).replace(hidden, (character) =>
    Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );

const say = (text) => {
  element("status").textContent = visible(text);
};

async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json().catch(() => ({}));
  return { ok: response.ok, answer, problem: `${answer.title ?? `HTTP ${response.status}`}: ${answer.detail ?? ""}` };
}

function fact(name, value) {
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  if (value instanceof Node) description.append(value);
  else description.textContent = visible(value);
  element("facts").append(term, description);
}

/** `2026-11-26 18:28 UTC`, with the reader's time beside it where that differs. */
function timeForReader(at) {
  const utc = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  const local = new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return utc.endsWith(local) ? `${utc} UTC` : `${utc} UTC (${local} your time)`;
}

/** The page of the run, which shows what was done so far. */
function runLink(runId) {
  const link = document.createElement("a");
  link.href = `/runs/${encodeURIComponent(runId)}`;
  link.textContent = visible(runId);
  return link;
}

function show({ question, consents, missing, answer }) {
  element("text").textContent = visible(question.text);
  element("facts").replaceChildren();
  fact("Runbook", `${question.runbookId}, step ${question.stepId}`);
  fact("Run", runLink(question.runId));
  if (question.requester !== undefined) fact("Started by", question.requester);
  const { target, alertName, summary, labels = {} } = question.about ?? {};
  if (target !== undefined) fact("Target", target);
  if (alertName !== undefined) fact("Alert", alertName);
  if (summary !== undefined) fact("Summary", summary);
  const labelTexts = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  if (labelTexts.length > 0) fact("Labels", labelTexts.join(", "));
  if (question.expiresAt !== undefined)
    fact(
      "Without an answer",
      question.kind === "approve"
        ? `nothing of this plan is done after ${timeForReader(question.expiresAt)}`
        : `the step fails at ${timeForReader(question.expiresAt)}, as if the answer had been no`,
    );
  if (question.of > 1) fact("Approvals", `${consents.map(({ by }) => by).join(", ") || "nobody yet"}; ${missing} missing`);
  if (question.plan !== undefined) {
    fact("Plan", question.plan.summary);
    fact("Targets", question.plan.targets.join(", "));
    fact("Can be undone", question.plan.reversible ? "yes" : "no");
    if (question.plan.data !== null) fact("Details", JSON.stringify(question.plan.data));
    fact("Hash of the plan", question.planSha);
  }
  const changes = question.plan?.changes ?? [];
  element("changes").hidden = changes.length === 0;
  element("changes").tBodies[0].replaceChildren(
    ...changes.map((change) => {
      const row = document.createElement("tr");
      for (const value of [change.target, change.field, JSON.stringify(change.before), JSON.stringify(change.after)]) {
        row.insertCell().textContent = visible(value);
      }
      return row;
    }),
  );
  element("answers").replaceChildren(
    ...question.answers.map((value) => {
      const label = document.createElement("label");
      const radio = Object.assign(document.createElement("input"), { type: "radio", name: "answer", value, required: true });
      label.append(radio, ` ${visible(value)} `);
      return label;
    }),
  );
  element("decide").hidden = answer !== undefined;
  element("question").hidden = false;
  planSha = question.planSha;
  say(answer === undefined ? "Read what would be done; nothing is decided yet." : `${answer.by} answered ${answer.answer}.`);
}

async function signIn() {
  token = element("token").value.trim();
  element("token").value = "";
  const reply = await call("GET", `/api/approvals/${encodeURIComponent(id)}/question`);
  if (!reply.ok) return say(reply.problem);
  element("sign-in").hidden = true;
  return show(reply.answer);
}

async function decide() {
  const answer = String(document.querySelector("input[name=answer]:checked")?.value ?? "");
  const reason = element("reason").value.trim();
  const body = { link, answer, reason, ...(planSha === undefined ? {} : { planSha }) };
  const reply = await call("POST", `/api/approvals/${encodeURIComponent(id)}/link`, body);
  if (!reply.ok) return say(reply.problem);
  element("decide").hidden = true;
  const missing = reply.answer.missing ?? 0;
  return say(
    missing > 0 ? `Recorded: ${answer}. ${missing} more must approve.` : `Answered: ${answer}. Run ${reply.answer.runId} goes on.`,
  );
}

for (const [form, act] of [
  ["sign-in", signIn],
  ["decide", decide],
]) {
  element(form).addEventListener("submit", (event) => {
    event.preventDefault();
    act().catch(() => say("runbookd cannot be reached; nothing was decided by this page."));
  });
}
