import * as fc from "fast-check";

/**
 * Gives every property test one seed, so that the same tree passes or fails the same way wherever it is tested.
 * `PROPERTY_SEED` sets another one; `npm run test:long` draws a new one and prints it.
 */
const seed = Number(process.env["PROPERTY_SEED"] ?? 20_260_601);
if (!Number.isSafeInteger(seed)) throw new RangeError("PROPERTY_SEED must be an integer.");
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
