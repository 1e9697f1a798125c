/** How often a model fails. Its replies look like others; only who checks them finds out. */
export interface Weakness {
  readonly model: string;
  /** Users (`metadata.user_id`) whose name begins so; the longest beginning that fits counts. */
  readonly users: string;
  /** Share of these users that it fails at, 0 to 1. */
  readonly share: number;
}

/** Which users each model fails at. */
export interface Weaknesses {
  set(weakness: Weakness): void;
  /** Whether the model fails at this user: the same at every request of the user. */
  fails(model: string, user: string): boolean;
}

interface Diffusion {
  weakness: Weakness;
  /** Failures that are due and have not come. */
  due: number;
}

/**
 * Spreads the failures evenly over the users in the order of their first request, so that every stretch of a run has as many as were asked for, and not more
 * or less by chance.
 */
export function createWeaknesses(): Weaknesses {
  const diffusions = new Map<string, Diffusion>();
  const met = new Map<string, boolean>();
  const keyOf = ({ model, users }: Pick<Weakness, "model" | "users">) => `${model} ${users}`;
  return {
    set(weakness) {
      const key = keyOf(weakness);
      const diffusion = diffusions.get(key);
      if (diffusion === undefined) diffusions.set(key, { weakness, due: 0 });
      else diffusion.weakness = weakness;
    },
    fails(model, user) {
      const key = `${model} ${user}`;
      const known = met.get(key);
      if (known !== undefined) return known;
      const [diffusion] = [...diffusions.values()]
        .filter(({ weakness }) => weakness.model === model && user.startsWith(weakness.users))
        .toSorted((a, b) => b.weakness.users.length - a.weakness.users.length);
      if (diffusion === undefined) return false;
      diffusion.due += diffusion.weakness.share;
      // A sum of tenths is not always whole.
      const fails = diffusion.due > 1 - 1e-9;
      if (fails) diffusion.due -= 1;
      met.set(key, fails);
      return fails;
    },
  };
}
