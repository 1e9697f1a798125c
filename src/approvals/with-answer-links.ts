import type { LinkedQuestion } from "../core/question-link.ts";
import type { Composer } from "../reports/create-composer.ts";
import type { QuestionLinks } from "./redis-question-links.ts";

/** What links are made of. `token` makes 256 random bits as text. */
export interface AnswerLinkDeps {
  readonly links: Pick<QuestionLinks, "add">;
  /** Where people reach the server; absent: mails have no link. */
  readonly publicUrl: string | undefined;
  readonly token: () => string;
}

/**
 * A composer that ends the mail of a question with a link to its page. The link's token exists from this moment only: what waits in the outbox
 * has none, and of the token a hash is kept. Each delivery has a token of its own.
 */
export function withAnswerLinks(composer: Composer, { links, publicUrl, token }: AnswerLinkDeps): Composer {
  return {
    async compose(row, now) {
      const composed = await composer.compose(row, now);
      const link = row.content.kind === "message" ? row.content.link : undefined;
      if (composed.kind !== "mail" || link === undefined || publicUrl === undefined || isOver(link, now)) return composed;
      const linkToken = token();
      await links.add(link, linkToken);
      const address = `${publicUrl.replace(/\/+$/u, "")}/a/${link.id}#${linkToken}`;
      return { ...composed, text: `${composed.text}\nAnswer on a page, with a token of your own:\n  ${address}` };
    },
  };
}

function isOver({ expiresAt }: LinkedQuestion, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
