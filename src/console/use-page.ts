import { useEffect } from "preact/hooks";

/** Sets the title of the browser's tab. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · runbookd`;
  }, [title]);
}

/** Moves to the element that the address names, once it is there. */
export function useHashScroll(isReady: boolean): void {
  useEffect(() => {
    if (!isReady || location.hash === "") return;
    document.getElementById(decodedHash())?.scrollIntoView();
  }, [isReady]);
}

function decodedHash(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}
