import { z } from "zod";

const addressPattern =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}$/;

/** One mail address and nothing else: no name, no list, no group, no quotes. */
export const mailAddress = z.string().refine((text) => text.length <= 254 && addressPattern.test(text), "must be one plain mail address");
