// Builds ../dist. The output is the same bytes on every machine: no hashes in
// names, no timestamps, no paths. SOURCE.sha256 lets a Go test notice a stale
// build without Node.
import { build } from 'esbuild'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'

const here = import.meta.dirname
process.chdir(here)
const common = { bundle: true, legalComments: 'none', charset: 'utf8', logLevel: 'warning' }

if (process.argv.includes('--test')) {
  const out = mkdtempSync(join(tmpdir(), 'weftline-widget-'))
  const entryPoints = readdirSync('test').filter((f) => f.endsWith('.test.ts')).map((f) => 'test/' + f)
  await build({ ...common, entryPoints, outdir: out, platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' } })
  const files = readdirSync(out).map((f) => join(out, f))
  const { status } = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' })
  rmSync(out, { recursive: true })
  process.exit(status ?? 1)
}

const out = { ...common, outdir: '../dist', target: 'es2022', minify: true }
await build({ ...out, entryPoints: ['src/loader.ts', 'src/frame.css', 'src/demo.css'], format: 'iife' })
// Modules; the emoji and each language are fetched when they are needed.
const languages = readdirSync('src').filter((f) => f.startsWith('words-')).map((f) => 'src/' + f)
await build({ ...out, entryPoints: ['src/frame.ts', 'src/emoji.ts', 'src/invite.ts', ...languages], format: 'esm' })

const sources = [...readdirSync('src').map((f) => 'src/' + f), 'build.mjs', 'package.json', 'package-lock.json', 'tsconfig.json'].sort()
const sum = createHash('sha256')
for (const f of sources) {
  const b = readFileSync(f)
  sum.update(`${f}\n${b.length}\n`).update(b)
}
writeFileSync('../dist/SOURCE.sha256', sum.digest('hex') + '\n')
