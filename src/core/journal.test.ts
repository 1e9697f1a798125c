import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { everyEntry } from "../../test/builders/every-entry.ts";
import { chainText, findFault } from "./chain.ts";
import { genesisHead, parseRecord, recordText } from "./journal.ts";
import { sha256 } from "./json.ts";

describe("a record of a journal", () => {
  it("gives back the entries that were written together", () => {
    assert((entries) => {
      expect(parseRecord(recordText(entries))).toEqual(entries);
      expect(parseRecord(chainText(genesisHead, recordText(entries)).text)).toEqual(entries);
    });
  });

  it("says once what its entries have in common", () => {
    const [first, second] = everyEntry.map((entry) => ({ ...entry, at: 1_796_084_752_218, epoch: 1_796_084_752_209 }));
    if (first === undefined || second === undefined) throw new Error("There are entries of more than one kind.");
    const text = recordText([first, second, { ...second, at: 1_796_084_752_219 }]);
    expect(text.match(/1796084752218/g)).toHaveLength(1);
    expect(text.match(/1796084752209/g)).toHaveLength(1);
  });

  it("that holds no entry, or something else among its entries, is none", () => {
    for (const text of ['{"entries":[]}', '{"at":1,"entries":[{"kind":"claimed"},7]}', '{"at":1,"entries":[{"worker":"w"}]}', "[]", "7"])
      expect(() => parseRecord(text)).toThrow("This is no journal entry");
  });
});

describe("a chain that an earlier version began", () => {
  /** As version 4 of the layout wrote them: one entry each, with a mark. */
  function anEarlierChain(): { readonly texts: string[]; readonly head: string } {
    let head = genesisHead;
    const texts = everyEntry.map((entry) => {
      const plain = JSON.stringify(entry);
      const text = `${plain.slice(0, -1)},"mark":"${sha256(`${head}\n${plain}`).slice(0, 16)}"}`;
      head = sha256(`${head}\n${text}`);
      return text;
    });
    return { texts, head };
  }

  it("is read and verified, also behind what this version adds", () => {
    const { texts, head } = anEarlierChain();
    expect(texts.flatMap(parseRecord)).toEqual(everyEntry);
    const added = chainText(head, recordText(everyEntry.slice(0, 3)));
    expect(findFault({ texts: [...texts, added.text], head: added.head }, parseRecord)).toBeUndefined();
  });

  it.each([0, 3, everyEntry.length])("tells that its record %i was changed", (index) => {
    const { texts, head } = anEarlierChain();
    const added = chainText(head, recordText(everyEntry.slice(0, 3)));
    const all = [...texts, added.text];
    all[index] = (all[index] ?? "").replace(/"at":(\d+)/, (_, at: string) => `"at":${Number(at) + 1}`);
    expect(findFault({ texts: all, head: added.head }, parseRecord)?.index).toBe(index);
  });
});

function assert(check: (entries: typeof everyEntry) => void): void {
  const groups = fc.array(fc.tuple(fc.constantFrom(...everyEntry), fc.nat(3), fc.nat(1)), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(groups, (picks) => check(picks.map(([entry, at, epoch]) => ({ ...entry, at, ...(epoch > 0 && { epoch }) })))));
}
