import { Blocks } from "./blocks.tsx";
import { Inlines } from "./inlines.tsx";
import type { StepLabel } from "./step-parts.ts";

/** The labelled items of a step as they are written. */
export function StepLabels({ labels }: { readonly labels: readonly StepLabel[] }) {
  return (
    <dl class="labels">
      {labels.map(({ name, value, below }) => (
        <div>
          <dt>{name}</dt>
          <dd>
            <Inlines nodes={value} />
            <Blocks blocks={below} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
