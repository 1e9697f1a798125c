import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ticketBranch, ticketRefName, type Withdrawal } from "../../llm/tickets/checkpoint.ts";
import type { RunGit } from "./run-git.ts";

/** Where something was published. */
export interface Publication {
  readonly run: RunGit;
  readonly repository: string;
  /** Absent: nothing was sent anywhere. */
  readonly remote: string | undefined;
  /** What tickets are based on. */
  readonly base: string;
}

// Said with every call, because a remote's configuration may name other programs.
const receivePack = "--receive-pack=git-receive-pack";
const uploadPack = "--upload-pack=git-upload-pack";

/**
 * Takes the branch of a ticket back while it still ends where the ticket left it. What was merged before stays in history: a branch that reverts it is
 * made, for the person who merges.
 */
export async function withdrawPublication(
  { ticketId, commit }: { readonly ticketId: string; readonly commit: string },
  { run, repository, remote, base }: Publication,
): Promise<Withdrawal> {
  const branch = `refs/heads/${ticketBranch(ticketId)}`;
  const main = await mainTip();
  const { code } = await run({ cwd: repository, args: ["merge-base", "--is-ancestor", commit, main], ok: [0, 1] });
  if (code === 0) return revert(main);
  const local = await tipOf(["rev-parse", "--verify", "--quiet", branch]);
  const remoteTip = remote === undefined ? undefined : await tipOf(["ls-remote", "--exit-code", uploadPack, remote, branch]);
  if (local === undefined && remoteTip === undefined) return { kind: "nothing" };
  const moved = [local, remoteTip].find((tip) => tip !== undefined && tip !== commit);
  if (moved !== undefined) return { kind: "moved", detail: `${branch} is at ${moved}, the ticket left it at ${commit}` };
  if (remote !== undefined && remoteTip !== undefined)
    await run({ cwd: repository, args: ["push", "--quiet", receivePack, `--force-with-lease=${branch}:${commit}`, remote, `:${branch}`] });
  if (local !== undefined) await run({ cwd: repository, args: ["update-ref", "-d", branch, commit] });
  return { kind: "withdrawn" };

  async function tipOf(args: readonly string[]): Promise<string | undefined> {
    const answer = await run({ cwd: repository, args, ok: [0, 1, 2] });
    return answer.code === 0 ? answer.text.split(/\s/)[0] : undefined;
  }

  async function mainTip(): Promise<string> {
    const { text: name } = await run({ cwd: repository, args: ["rev-parse", "--abbrev-ref", base] });
    const fetched =
      remote === undefined
        ? 1
        : (await run({ cwd: repository, args: ["fetch", "--quiet", uploadPack, remote, name.trim()], ok: [0, 1, 128] })).code;
    return (await run({ cwd: repository, args: ["rev-parse", fetched === 0 ? "FETCH_HEAD" : base] })).text.trim();
  }

  async function revert(tip: string): Promise<Withdrawal> {
    const name = `revert/${ticketRefName(ticketId)}`;
    if ((await tipOf(["rev-parse", "--verify", "--quiet", `refs/heads/${name}`])) !== undefined) return { kind: "reverted", branch: name };
    const scratch = await mkdtemp(join(tmpdir(), "runbookd-revert-"));
    const folder = join(scratch, "worktree");
    try {
      await run({ cwd: repository, args: ["worktree", "add", "--quiet", "--detach", folder, tip] });
      await run({ cwd: folder, args: ["revert", "--no-edit", commit] });
      const made = (await run({ cwd: folder, args: ["rev-parse", "HEAD"] })).text.trim();
      if (remote !== undefined)
        await run({ cwd: repository, args: ["push", "--quiet", receivePack, remote, `${made}:refs/heads/${name}`] });
      await run({ cwd: repository, args: ["update-ref", `refs/heads/${name}`, made, ""] });
      return { kind: "reverted", branch: name };
    } finally {
      await run({ cwd: repository, args: ["worktree", "remove", "--force", folder], ok: [0, 128] });
      await rm(scratch, { recursive: true, force: true });
    }
  }
}
