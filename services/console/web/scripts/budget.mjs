// Fails when the build has grown past what an agent should have to wait for.
// Sizes are gzip, in KB of 1,024 bytes.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const budget = { initial: 200, composer: 135, other: 60, raw: 3 * 1024 };

const read = (name) => readFileSync(join(dist, 'assets', name));
const kb = (data) => gzipSync(data, { level: 9 }).length / 1024;
const scripts = readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.js')).sort();

// The first script and everything it imports without being asked.
const initial = new Set();
const visit = (name) => {
  if (initial.has(name)) return;
  initial.add(name);
  for (const [, next] of read(name).toString().matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) visit(next);
};
for (const [, name] of readFileSync(join(dist, 'index.html'), 'utf8').matchAll(/\/assets\/([\w.-]+\.js)/g)) visit(name);

let raw = 0;
const over = [];
const judge = (label, size, limit) => {
  console.log(`${label.padEnd(28)} ${size.toFixed(1).padStart(7)} of ${limit} KB`);
  if (size > limit) over.push(label);
};
for (const name of readdirSync(join(dist, 'assets'))) raw += read(name).length / 1024;
judge('initial', [...initial].reduce((sum, name) => sum + kb(read(name)), 0), budget.initial);
for (const name of scripts) if (!initial.has(name)) judge(name, kb(read(name)), name === 'Editor.js' ? budget.composer : budget.other);
judge('all files, not compressed', raw, budget.raw);

if (over.length > 0) {
  console.error('over budget: ' + over.join(', '));
  process.exit(1);
}
