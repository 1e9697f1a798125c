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
  const link = useSignal(linkOf(location.hash));
  useTitle("Sign in");
  useEffect(() => {
    field.current?.focus();
    // The link is used once; the browser's history need not keep it.
    if (link.value !== undefined) history.replaceState(null, "", location.pathname + location.search);
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const secret = link.value ?? field.current?.value.trim();
    if (secret === undefined || isBusy.value) return;
    isBusy.value = true;
    const refusal = await session.signIn(secret);
    const isLinkOver = link.value !== undefined && refusal === "The server does not accept this token.";
    fault.value = isLinkOver ? "This link was used already, or is older than ten minutes. Sign in with a token." : (refusal ?? "");
    if (isLinkOver) link.value = undefined;
    isBusy.value = false;
    if (fault.value !== "") field.current?.focus();
  };

  return (
    <main class="sign-in" id="main">
      <p class="brand">
        <Icon name="mark" />
        runbookd
      </p>
      <h1>Sign in</h1>
      <form onSubmit={(event) => void submit(event)}>
        {link.value === undefined ? (
          <>
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
          </>
        ) : (
          <p>You opened a link that signs in once.</p>
        )}
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

/** The secret of a link that signs in once. */
function linkOf(hash: string): string | undefined {
  return /^#link_[\w-]+$/u.test(hash) ? hash.slice(1) : undefined;
}
