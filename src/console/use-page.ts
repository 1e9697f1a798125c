import { useEffect, useRef, useState } from "preact/hooks";

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

/** Whether an element of the page is on the screen. */
export function useInView(id: string): boolean {
  const [isInView, setInView] = useState(false);
  const watched = useRef<{ readonly element: Element; readonly stop: () => void } | undefined>(undefined);
  // After each drawing: the element may come later than the hook that asks for it, and may be replaced.
  useEffect(() => {
    const element = document.getElementById(id);
    if (element === (watched.current?.element ?? null)) return;
    watched.current?.stop();
    watched.current = undefined;
    if (element === null) return setInView(false);
    const observer = new IntersectionObserver(([entry]) => setInView(entry?.isIntersecting === true));
    observer.observe(element);
    watched.current = { element, stop: () => observer.disconnect() };
  });
  useEffect(() => () => watched.current?.stop(), []);
  return isInView;
}

function decodedHash(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}
