/** Where post-mortems are kept that no code host takes. Rejects when the disk refuses. */
export interface PostMortemFiles {
  /** Writes the file of this name, in place of one that is there, and says where it is. */
  write(name: string, text: string): Promise<string>;
}
