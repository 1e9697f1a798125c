/** Signs that a reader takes for Latin letters: what is written, and what is read, sign by sign. Compatibility forms are plain by then. */
const pairs: readonly (readonly [string, string])[] = [
  // Cyrillic
  ["АВЕКМНОРСТХІЈЅУѴӀԚԜ", "ABEKMHOPCTXIJSYVIQW"],
  ["аеорсухіјѕкмтвнԁпгѵӏԛԝһүь", "aeopcyxijskmtbhdnrvlqwhyb"],
  // Greek
  ["ΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", "ABEHIKMNOPTXYZ"],
  ["αεικνορτυχω", "aeiknoptuxw"],
  // Armenian and Coptic
  ["օսհոցզյ", "oshngqj"],
  ["ⲀⲂⲈⲎⲒⲔⲘⲚⲞⲢⲤⲦⲨⲬ", "ABEHIKMNOPCTYX"],
  ["ⲁⲃⲉⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭ", "abehikmnopctyx"],
  // Cherokee and Lisu
  ["ᎪᏴᏟᎠᎬᎱᏀᎻᎥᎫᏦᏞᎷᏁᎾᏢᏒᏚᎢᏙᎳᎩᏃᎡ", "ABCDEFGHIJKLMNOPRSTVWYZR"],
  ["ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ", "ABCDEFGHIJKLMNOPRSTUVWXYZ"],
  // Small capitals and phonetic letters
  ["ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢᴩ", "abcdefghijklmnopqrstuvwyzp"],
  ["ɑɐəɛɘıɩłɫɭǀøɔɵƥᵽþƿɾɼɽʋʌɡđħŧ", "aaeeeiillllooopppprrrvvgdht"],
  // Signs of mathematics, and hyphens
  ["∨⋁⍴∣‐‑‒", "vvpl---"],
];

const plainOf: ReadonlyMap<string, string> = new Map(
  pairs.flatMap(([written, read]) => {
    const letters = Array.from(read);
    return Array.from(written, (sign, index): readonly [string, string] => [sign, letters[index] ?? sign]);
  }),
);

/** Alphabets of emoji and of letters in black circles and squares, which have no compatibility form: where each begins. */
const alphabets = [0x1_f1_e6, 0x1_f1_50, 0x1_f1_70];

/** Letters that show nothing. */
const blank = /[\u115f\u1160\p{M}\p{Cf}\p{Cc}\p{Co}]/gu;

/** A text in the letters that a reader sees: plain Latin ones in the place of look-alikes, without accents and invisible characters. */
export function plainLetters(text: string): string {
  return (
    text
      .normalize("NFKD")
      .replaceAll(blank, (character) => (/\s/u.test(character) ? " " : ""))
      .replaceAll(/\P{ASCII}/gu, plainLetter)
      // Spaced letters are one word.
      .replaceAll(/(?<![\p{L}\p{N}])(?:\p{L}[ .·-]){3,}\p{L}(?![\p{L}\p{N}])/gu, (word) => word.replaceAll(/[ .·-]/gu, ""))
  );
}

function plainLetter(sign: string): string {
  const code = sign.codePointAt(0) ?? 0;
  // The small Cherokee letters look like the large ones.
  const plain = plainOf.get(code >= 0xab_70 && code <= 0xab_bf ? String.fromCodePoint(code - 0xab_70 + 0x13_a0) : sign);
  if (plain !== undefined) return plain;
  const first = alphabets.find((start) => code >= start && code < start + 26);
  return first === undefined ? sign : String.fromCodePoint(0x61 + code - first);
}
