import { deflateSync, inflateSync } from 'node:zlib';

/** A PNG (8 bits, RGB or RGBA) again, without alpha where it says nothing and packed as well as zlib can. */
export function smaller(png) {
  const { width, height, colour, data } = parse(png);
  const from = colour === 6 ? 4 : 3;
  const pixels = unfilter(inflateSync(data), width, height, from);
  const rgb = Buffer.alloc(width * height * 3);
  for (let i = 0, o = 0; i < pixels.length; i += from) {
    if (from === 4 && pixels[i + 3] !== 255) return png;
    rgb[o++] = pixels[i];
    rgb[o++] = pixels[i + 1];
    rgb[o++] = pixels[i + 2];
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = [0, 1, 2].map((kind) => deflateSync(filter(rgb, width, height, kind), { level: 9, memLevel: 9 }));
  const best = rows.sort((a, b) => a.length - b.length)[0];
  const made = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', best), chunk('IEND', Buffer.alloc(0))]);
  return made.length < png.length ? made : png;
}

function parse(png) {
  const parts = [];
  let header;
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = body;
    if (type === 'IDAT') parts.push(body);
    at += 12 + length;
  }
  if (header[8] !== 8 || ![2, 6].includes(header[9]) || header[12] !== 0) throw new Error('only plain 8-bit RGB and RGBA are understood');
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), colour: header[9], data: Buffer.concat(parts) };
}

const paeth = (a, b, c) => {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
};

function unfilter(raw, width, height, bpp) {
  const stride = width * bpp;
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const kind = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= bpp ? out[at - bpp] : 0;
      const up = y > 0 ? out[at - stride] : 0;
      const corner = x >= bpp && y > 0 ? out[at - stride - bpp] : 0;
      out[at] = raw[y * (stride + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind];
    }
  }
  return out;
}

function filter(rgb, width, height, kind) {
  const stride = width * 3;
  const out = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    out[y * (stride + 1)] = kind;
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const before = kind === 1 ? (x >= 3 ? rgb[at - 3] : 0) : kind === 2 ? (y > 0 ? rgb[at - stride] : 0) : 0;
      out[y * (stride + 1) + 1 + x] = rgb[at] - before;
    }
  }
  return out;
}

const table = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

function chunk(type, body) {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, 'latin1');
  body.copy(out, 8);
  let crc = 0xffffffff;
  for (const byte of out.subarray(4, 8 + body.length)) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, 8 + body.length);
  return out;
}
