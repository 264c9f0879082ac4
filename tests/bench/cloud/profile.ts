// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const run = promisify(execFile)
const MOST = 5

/**
 * What a process spends its CPU time on, most first: `part 12 %`. Types are stripped from the program that measures, before it
 * begins; that and idle time are left out.
 */
export async function profileOf(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-profile-'))
  const flags = ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-interval', '200']
  await run(process.execPath, [...flags, ...args], { env })
  const [file = ''] = readdirSync(folder)
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile
  rmSync(folder, { recursive: true })
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const spent = new Map<string, number>()
  for (const [at, id] of samples.entries()) {
    const part = partOf(frames.get(id) ?? { functionName: '', url: '' })
    if (part !== null) spent.set(part, (spent.get(part) ?? 0) + (timeDeltas[at] ?? 0))
  }
  const all = [...spent.values()].reduce((sum, one) => sum + one, 0)
  return [...spent]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST)
    .map(([part, micros]) => `${part} ${Math.round((100 * micros) / all)} %`)
    .join(', ')
}

/** Null for what is none of the bundle's: idling, and stripping types. */
function partOf({ functionName, url }: Profile['nodes'][number]['callFrame']): string | null {
  if (functionName === '(idle)' || /^wasm:|internal\/deps\/(?:amaro|cjs-module-lexer)|strip/.test(url))
    return null
  if (functionName.startsWith('compile')) return 'compiling modules'
  if (functionName === '(garbage collector)') return 'collecting garbage'
  if (url === '' || functionName === '(program)') return "V8 and Node's native code"
  if (url.includes('deps/undici')) return "Node's fetch"
  if (url.startsWith('node:')) return "Node's own modules"
  const file = url.split('/').at(-1) ?? ''
  // Chunks of clients have names of their own on AWS; on Azure all are called after their packages' entry.
  return file === 'index.mjs'
    ? 'index.mjs (ours, hono, @noble, valibot)'
    : file.replace(/-[\w-]{8}\.mjs$/, '.mjs')
}
