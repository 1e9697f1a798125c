import { crc32, deflateSync, inflateSync } from "node:zlib";

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const maxColors = 256;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue of each pixel, row by row. */
  readonly rgb: Uint8Array;
}

/** The same picture with at most 256 colors, a third of its size; for pictures of a browser, which have 8 bits of each color and no palette. */
export function shrinkPng(png: Buffer): Buffer {
  const { width, height, rgb } = pixelsOf(png);
  const palette = paletteOf(rgb);
  const nearest = new Map<number, number>();
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const color = colorAt(rgb, (y * width + x) * 3);
      let index = nearest.get(color);
      if (index === undefined) {
        index = nearestOf(palette, color);
        nearest.set(color, index);
      }
      rows[y * (width + 1) + 1 + x] = index;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const colors = Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("PLTE", colors),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function colorAt(rgb: Uint8Array, at: number): number {
  return ((rgb[at] ?? 0) << 16) | ((rgb[at + 1] ?? 0) << 8) | (rgb[at + 2] ?? 0);
}

/** The most frequent colors. */
function paletteOf(rgb: Uint8Array): readonly number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < rgb.length; at += 3) {
    const color = colorAt(rgb, at);
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, maxColors)
    .map(([color]) => color);
}

function nearestOf(palette: readonly number[], color: number): number {
  let [best, bestDistance] = [0, Number.POSITIVE_INFINITY];
  for (const [index, other] of palette.entries()) {
    const distance = [16, 8, 0].reduce((sum, shift) => sum + (((color >> shift) & 255) - ((other >> shift) & 255)) ** 2, 0);
    if (distance < bestDistance) [best, bestDistance] = [index, distance];
  }
  return best;
}

function pixelsOf(png: Buffer): Pixels {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const [depth, kind] = [png[24], png[25]];
  if (!png.subarray(0, 8).equals(signature) || depth !== 8 || (kind !== 2 && kind !== 6))
    throw new Error(`The picture has ${depth} bits and kind ${kind}; 8 bits of kind 2 or 6 are read.`);
  const size = kind === 2 ? 3 : 4;
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const data = inflateSync(Buffer.concat(parts));
  const stride = width * size;
  const rgb = new Uint8Array(width * height * 3);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y += 1) {
    const row = unfiltered(data.subarray(y * (stride + 1), (y + 1) * (stride + 1)), above, size);
    for (let x = 0; x < width; x += 1) rgb.set(row.subarray(x * size, x * size + 3), (y * width + x) * 3);
    above = row;
  }
  return { width, height, rgb };
}

/** One row without its filter, as the PNG specification says in section 9. */
function unfiltered(line: Uint8Array, above: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const filter = line[0] ?? 0;
  const row = new Uint8Array(line.length - 1);
  for (let at = 0; at < row.length; at += 1) {
    const a = row[at - size] ?? 0;
    const b = above[at] ?? 0;
    const c = at < size ? 0 : (above[at - size] ?? 0);
    const predicted = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter] ?? 0;
    row[at] = (line[at + 1] ?? 0) + predicted;
  }
  return row;
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
