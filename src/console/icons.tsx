const paths = {
  check: "M4.5 12.5l5 5 10-11",
  cross: "M6 6l12 12M18 6L6 18",
  clock: "M12 3.5a8.5 8.5 0 100 17 8.500 8.500 0 000-17zM12 7.500V12l3 2",
  person: "M12 4a3.800 3.800 0 100 7.600 3.800 3.800 0 000-7.600zM4.500 20c.8-4 3.700-6 7.500-6s6.700 2 7.500 6",
  doubt: "M9 9.300a3 3 0 115.200 2c-1 1-2.200 1.500-2.200 3.200M12 18.500v.1",
  run: "M8 5.500v13l10.500-6.500z",
  book: "M5 5.200c2.600-.9 5-.7 7 .9 2-1.600 4.400-1.800 7-.9v13c-2.600-.9-5-.7-7 .9-2-1.600-4.400-1.800-7-.9zM12 6v13",
  pulse: "M3.500 12.500h4l2.500-7 4 13 2.500-6h4",
  cold: "M12 3.500v17M4.600 7.800l14.800 8.400M19.400 7.800L4.600 16.200M9.500 5l2.500 2 2.500-2M9.500 19l2.500-2 2.500 2",
  bell: "M6.500 16.500c1.200-1.200 1.400-2.700 1.400-5.200a4.100 4.100 0 018.200 0c0 2.500.2 4 1.400 5.200zM10.300 19.500h3.400",
  shield: "M12 3.500l7 2.500v5.500c0 4.500-3 7.500-7 9-4-1.500-7-4.500-7-9V6z",
  back: "M9 7L4.500 11.500 9 16M5 11.500h9a5 5 0 010 10h-2",
  skip: "M5 6v12l8-6zM16 6v12",
  dash: "M6 12h12",
  link: "M10 14a4 4 0 005.700 0l2.800-2.800a4 4 0 00-5.700-5.700L11.500 7M14 10a4 4 0 00-5.700 0l-2.800 2.800a4 4 0 005.700 5.700L12.500 17",
  leave: "M14 5H6v14h8M10 12h10M17 8.500l3.500 3.500-3.500 3.500",
  mark: "M6 4.500h9l3.500 3.500v11.500H6zM9 12.500l2.200 2.200 4-4.700",
  warning: "M12 4.500L3.500 19h17zM12 10v4.500M12 17v.1",
} as const;

/** Names of the drawings. */
export type IconName = keyof typeof paths;

/** One drawing in the color of the text. With a label it says something; without one it is decoration beside words that do. */
export function Icon({ name, label }: { readonly name: IconName; readonly label?: string }) {
  const drawing = <path d={paths[name]} />;
  return label === undefined ? (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {drawing}
    </svg>
  ) : (
    <svg class="icon" viewBox="0 0 24 24" role="img" aria-label={label}>
      {drawing}
    </svg>
  );
}
