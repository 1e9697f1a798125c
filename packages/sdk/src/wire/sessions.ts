import { z } from "zod";
import { instantSchema } from "./units.ts";

/** Roles of people: those of an application and of a scanner have no sessions. */
export const personRoles = ["viewer", "operator", "approver", "admin"] as const;

/** Who is signed in. */
export const sessionSchema = z
  .object({
    /** Name of the token that the session began with. */
    name: z.string(),
    role: z.enum(personRoles),
    /** When the session ends without another request; absent for a caller who sends a token. */
    expiresAt: z.exactOptional(instantSchema),
  })
  .meta({ id: "Session" });

/** Whether there was a session to end. */
export const sessionEndSchema = z.object({ ended: z.boolean() });

/** A link that signs in once: its path with the secret, and until when it can be used. */
export const signInLinkSchema = z.object({ path: z.string(), expiresAt: instantSchema });
