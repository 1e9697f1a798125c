import { useEffect, useRef } from "preact/hooks";
import { keyList, type PageKeys } from "./page-keys.ts";

/** The list of keys, with the choice to switch them off. */
export function KeyList({ keys: { areOn, isListed } }: { readonly keys: PageKeys }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isListed.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      class="sheet keys"
      aria-labelledby="keys-title"
      ref={dialog}
      onClose={() => {
        isListed.value = false;
      }}
    >
      <h2 id="keys-title">Keys</h2>
      <dl class="facts">
        {keyList.map(([key, text]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={areOn.value}
          onChange={(event) => {
            areOn.value = event.currentTarget.checked;
          }}
        />
        Keys do this on every page
      </label>
      <p>
        <button
          class="button"
          type="button"
          onClick={() => {
            isListed.value = false;
          }}
        >
          Close
        </button>
      </p>
    </dialog>
  );
}
