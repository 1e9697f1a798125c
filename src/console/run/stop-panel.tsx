import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import { Icon } from "../icons.tsx";
import { timeForReader, visibleText } from "../page-format.ts";
import { type ChangeResult, sendChange } from "../send-change.ts";
import { useResource, useServices } from "../services.ts";

type Panel = "none" | "abort" | "freeze";

const stopRoles: ReadonlySet<string> = new Set(["operator", "admin"]);

/** Scopes in which a freeze holds this run back; the narrowest first. */
export function freezeScopes({ runbookId, target }: Pick<RunSummary, "runbookId" | "target">): readonly string[] {
  return [...(target === undefined ? [] : [`target:${target}`]), `runbook:${runbookId}`, "all"];
}

/** How a scope is named to people. */
export function scopeText(scope: string): string {
  if (scope === "all") return "everything";
  const [kind = "", ...name] = scope.split(":");
  return kind === "target" ? visibleText(name.join(":"), 100) : `${visibleText(kind, 20)} ${visibleText(name.join(":"), 100)}`;
}

/** The freezes that hold this run back, and what stops it: each takes one press to open and one to do. */
export function StopPanel({ summary }: { readonly summary: RunSummary }) {
  const { session } = useServices();
  const open = useSignal<Panel>("none");
  const freezes = useResource<{ readonly items: readonly Freeze[] }>(
    "/api/freeze",
    () => true,
    ({ event }) => event === "freeze",
  );
  const reader = session.state.value;
  if (reader.kind !== "signed_in") return null;
  const scopes = freezeScopes(summary);
  const covering = (freezes.reading.value.body?.items ?? []).filter(({ scope }) => scopes.includes(scope));
  const isOpen = summary.state !== "ended";
  const toggle = (panel: Panel) => () => {
    open.value = open.value === panel ? "none" : panel;
  };
  const close = () => {
    open.value = "none";
    void freezes.refreshAgain();
  };
  return (
    <>
      {covering.map((freeze) => (
        <Frozen freeze={freeze} mayLift={reader.role === "admin"} onLifted={() => void freezes.refreshAgain()} />
      ))}
      {isOpen && stopRoles.has(reader.role) ? (
        <div class="stops">
          <button class="button" type="button" aria-expanded={open.value === "abort"} onClick={toggle("abort")}>
            <Icon name="cross" />
            Abort
          </button>
          <button class="button" type="button" aria-expanded={open.value === "freeze"} onClick={toggle("freeze")}>
            <Icon name="cold" />
            Freeze
          </button>
          {open.value === "abort" ? <Abort summary={summary} onDone={close} /> : null}
          {open.value === "freeze" ? <FreezeForm scopes={scopes} onDone={close} /> : null}
        </div>
      ) : null}
    </>
  );
}

function Abort({ summary, onDone }: { readonly summary: RunSummary; readonly onDone: () => void }) {
  return (
    <StopForm
      name={`abort ${summary.id}`}
      label="Abort this run"
      request={(reason) => ({ method: "POST", path: `/api/runs/${encodeURIComponent(summary.id)}/abort`, body: { reason } })}
      onDone={onDone}
    >
      <p>
        <b>{summary.step === undefined ? "The run" : `The run in step "${visibleText(summary.step, 120)}"`} ends before its next change.</b>{" "}
        A change that has begun is finished first. What the document says to undo is undone. An alert that still fires may start a new run.
      </p>
    </StopForm>
  );
}

function FreezeForm({ scopes, onDone }: { readonly scopes: readonly string[]; readonly onDone: () => void }) {
  const scope = useSignal(scopes[0] ?? "all");
  return (
    <StopForm
      name={`freeze ${scopes.join()}`}
      label={`Freeze ${scopeText(scope.value)}`}
      request={(reason) => ({ method: "PUT", path: "/api/freeze", body: { scope: scope.value, reason } })}
      onDone={onDone}
    >
      <fieldset>
        <legend>What is frozen</legend>
        {scopes.map((one) => (
          <label class="choice">
            <input
              type="radio"
              name="scope"
              checked={scope.value === one}
              onChange={() => {
                scope.value = one;
              }}
            />
            {scopeText(one)}
          </label>
        ))}
      </fieldset>
      <p>
        No change begins there and no run of it starts until an admin lifts the freeze. A change that has begun is finished. Undoing stays
        permitted.
      </p>
    </StopForm>
  );
}

interface StopFormProps {
  /** Name of the draft. */
  readonly name: string;
  readonly label: string;
  readonly request: (reason: string) => Parameters<typeof sendChange>[1];
  readonly onDone: () => void;
  readonly children: ComponentChildren;
}

/** A stop is never held back: a reason is asked for, and not required. */
const withoutReason = "No reason was given in the console";

function StopForm({ name, label, request, onDone, children }: StopFormProps) {
  const { requests, drafts } = useServices();
  const reason = drafts.of(name);
  const fault = useSignal("");
  const isBusy = useSignal(false);
  const press = useRef<HTMLButtonElement>(null);
  useEffect(() => press.current?.focus(), []);
  const send = async () => {
    if (isBusy.value) return;
    isBusy.value = true;
    const given = reason.value.trim();
    const result = await sendChange(requests, request(given === "" ? withoutReason : given));
    isBusy.value = false;
    fault.value = faultOf(result);
    if (result.kind === "done") {
      reason.value = "";
      onDone();
    }
  };
  return (
    <form class="sheet stop" onSubmit={(event) => event.preventDefault()}>
      {children}
      <label for="stop-reason">
        Why <span class="quiet">(optional)</span>
      </label>
      <input
        id="stop-reason"
        type="text"
        maxLength={300}
        value={reason.value}
        onInput={(event) => {
          reason.value = event.currentTarget.value;
        }}
      />
      <p class="fault" role="alert">
        {fault.value}
      </p>
      <button class="button danger" type="button" ref={press} aria-disabled={isBusy.value} onClick={() => void send()}>
        {isBusy.value ? "Sending …" : label}
      </button>
    </form>
  );
}

function faultOf(result: ChangeResult): string {
  if (result.kind === "done") return "";
  if (result.kind === "refused") return result.detail;
  return `${result.detail} Press again: doing it twice does no harm. Without Redis, the file that RUNBOOKD_FREEZE_FILE names freezes everything.`;
}

function Frozen(props: { readonly freeze: Freeze; readonly mayLift: boolean; readonly onLifted: () => void }) {
  const { freeze, mayLift, onLifted } = props;
  const { requests } = useServices();
  const isSure = useSignal(false);
  const fault = useSignal("");
  const lift = async () => {
    if (!isSure.value) {
      isSure.value = true;
      return;
    }
    const path = `/api/freeze?${new URLSearchParams({ scope: freeze.scope })}`;
    const result = await sendChange(requests, { method: "DELETE", path });
    fault.value = result.kind === "done" ? "" : result.detail;
    isSure.value = false;
    if (result.kind === "done") onLifted();
  };
  return (
    <div class="banner cold">
      <Icon name="cold" />
      <div>
        <p>
          <b>{capital(scopeText(freeze.scope))} is frozen</b> by {visibleText(freeze.by, 100)} since {timeForReader(freeze.at)}:{" "}
          {visibleText(freeze.reason, 300)}
        </p>
        {mayLift ? (
          <button class="button" type="button" onClick={() => void lift()}>
            {isSure.value ? "Lift it: the runs that it held back continue" : "Lift the freeze"}
          </button>
        ) : (
          <p class="quiet">An admin can lift it.</p>
        )}
        {fault.value === "" ? null : (
          <p class="fault" role="alert">
            {fault.value}
          </p>
        )}
      </div>
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
