// Writes dist/SOURCE.sha256: what the committed build was made from, so that a
// Go test can tell a stale build without Node. The algorithm:
//
//   files = src/** (every regular file), index.html, package-lock.json, vite.config.ts,
//           as slash-separated paths relative to this folder, sorted by their bytes
//   hash  = sha256 over, for each file: path + "\n" + hex(sha256(content)) + "\n"
//
// and the file holds the hex of hash and a newline.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const walk = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder + '/' + entry.name;
    return entry.isDirectory() ? walk(path) : entry.isFile() ? [path] : [];
  });

const files = [...walk('src'), 'index.html', 'package-lock.json', 'vite.config.ts'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const sum = createHash('sha256');
for (const file of files) sum.update(`${file}\n${sha256(readFileSync(join(root, file)))}\n`);

writeFileSync(join(root, 'dist/SOURCE.sha256'), sum.digest('hex') + '\n');
