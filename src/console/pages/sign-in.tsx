import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../icons.tsx";
import { useServices } from "../services.ts";
import { useTitle } from "../use-page.ts";

/** Takes a token and exchanges it for a session; afterwards the address that was opened is shown. */
export function SignIn() {
  const { session } = useServices();
  const fault = useSignal("");
  const isBusy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useTitle("Sign in");
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const input = field.current;
    if (input === null || isBusy.value) return;
    isBusy.value = true;
    fault.value = (await session.signIn(input.value.trim())) ?? "";
    isBusy.value = false;
    if (fault.value !== "") input.focus();
  };

  return (
    <main class="sign-in" id="main">
      <p class="brand">
        <Icon name="mark" />
        runbookd
      </p>
      <h1>Sign in</h1>
      <form onSubmit={(event) => void submit(event)}>
        {/* A password manager wants a name to keep the token under. */}
        <input type="text" name="username" autocomplete="username" value="runbookd" hidden readOnly />
        <label for="token">Your token</label>
        <input
          id="token"
          ref={field}
          type="password"
          name="token"
          autocomplete="current-password"
          required
          aria-describedby="token-hint fault"
          aria-invalid={fault.value !== ""}
        />
        <p class="fine" id="token-hint">
          The server keeps a session for this browser: up to 7 days, and 12 hours without use. The page does not store the token.
        </p>
        <p class="fault" id="fault" role="alert">
          {fault.value}
        </p>
        <button class="button primary" type="submit" aria-disabled={isBusy.value}>
          {isBusy.value ? "Signing in …" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
