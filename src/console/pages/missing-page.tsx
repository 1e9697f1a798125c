import { visibleText } from "../page-format.ts";
import { useTitle } from "../use-page.ts";

/** An address that the console does not have. */
export function MissingPage({ path }: { readonly path: string }) {
  useTitle("No such page");
  return (
    <>
      <h1>No such page</h1>
      <p>
        The console has no page at <code>{visibleText(path, 200)}</code>. See the <a href="/runs">runs</a> or the{" "}
        <a href="/runbooks">runbooks</a>.
      </p>
    </>
  );
}

/** Where the alerts about runbookd itself lead. */
export function DoctorPage() {
  useTitle("Doctor");
  return (
    <>
      <h1>Doctor</h1>
      <p>
        Run <code>npx runbookd doctor</code> on the server: it checks Redis, Prometheus, Alertmanager, mail and file permissions, and prints
        what to fix.
      </p>
      <p>
        <a href="/readyz">Whether the server is ready</a>, with the reasons when it is not.
      </p>
    </>
  );
}
