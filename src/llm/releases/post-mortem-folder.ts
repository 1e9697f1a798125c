import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../core/json.ts";
import type { PostMortemFiles } from "./post-mortem-files.ts";

/** Post-mortems as files of a folder, which is made when the first one is written. */
export function createPostMortemFolder(folder: string): PostMortemFiles {
  return {
    async write(name, text) {
      const place = join(folder, `${name}.md`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Another attempt writes the same file: what is there is always one of them, and whole.
      const draft = `${place}.${sha256(text).slice(0, 12)}.draft`;
      await writeFile(draft, text, { mode: 0o600 });
      await rename(draft, place);
      return place;
    },
  };
}
