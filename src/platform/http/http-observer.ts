/** What the HTTP side tells metrics. Never throws. */
export interface HttpObserver {
  /** One webhook was answered with `code` after `seconds`. */
  notification(code: number, seconds: number): void;
}
