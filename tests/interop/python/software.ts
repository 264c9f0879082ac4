// SPDX-License-Identifier: Apache-2.0
import { describe } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Digest } from '#core/bytes/ids.ts'
import { verifyExport, type ExportReport } from '#core/client/export/verify-export.ts'
import type { Monitors } from '#core/client/client.ts'
import type { Completeness, MonitorWord } from '#core/client/complete/monitor-words.ts'
import type { Shown } from '#core/client/receipt/shown.ts'
import type { LogView } from '#core/client/receipt/judge-blocks.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { SignatureCases } from '../browser/signature-answers.ts'
import { AmpereError } from '#core/errors.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const NEEDS = 'import sys, cryptography; sys.exit(sys.version_info < (3, 11))'

/** `describe` where Python and its package `cryptography` are; elsewhere the tests are skipped under a name that says why. */
export function describeWithPython(name: string, tests: () => void): void {
  if (python(['-c', NEEDS]).status === 0) {
    describe(name, tests)
    return
  }
  const skipped = `${name} (skipped: there is no python3 from 3.11 with the package cryptography)`
  describe.skip(skipped, tests)
  // Jest only counts the tests of a file in which all are skipped.
  process.stderr.write(`${skipped}\n`)
}

/** What the Python verifier says of one file or one sequence of blocks, as it prints it. */
export interface PythonAnswer {
  readonly code?: string
  readonly rule?: string | null
  readonly height?: number | null
  readonly message?: string
  readonly problems?: readonly { readonly height: number; readonly status: string; readonly rule: string }[]
  readonly erasures?: readonly { readonly stated: readonly string[]; readonly owing: readonly string[] }[]
  readonly registry?: readonly { readonly id: string; readonly state: string }[]
  readonly blocks?: readonly { readonly id: string; readonly state: string }[]
  readonly log?: Pick<LogView, 'statuses' | 'receipts'> | null
  readonly complete?: Omit<Completeness, 'words' | 'forked'> & {
    readonly forked?: string | null
    readonly words: readonly Partial<MonitorWord>[]
  }
}

/** One registry, and the blocks of a chain from its genesis or after a parent that is believed. */
export interface PythonCase {
  readonly registry: readonly string[]
  readonly chain: string
  readonly parent: { readonly block: string; readonly state: unknown } | null
  readonly blocks: readonly string[]
}

/** What files are judged by. */
export interface PythonPins {
  readonly registry?: string
  readonly now?: string
  readonly policy?: string
  readonly monitors?: Monitors
}

/** Verifies files in one run of verify_export.py. */
export function verifyInPython(
  files: readonly Uint8Array[],
  {
    policy,
    monitors,
    together,
    ...options
  }: PythonPins & {
    /** Compares each file with those before it. */
    readonly together?: boolean
  } = {},
): { readonly status: number | null; readonly answers: readonly PythonAnswer[] } {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-python-'))
  try {
    const names = files.map((bytes, i) => {
      const name = join(folder, `${i}.ampere`)
      writeFileSync(name, bytes)
      return name
    })
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
    if (together === true) flags.push('--together')
    if (policy !== undefined) {
      const name = join(folder, 'policy.txt')
      writeFileSync(name, policy)
      flags.push('--policy', name)
    }
    if (monitors !== undefined) {
      const name = join(folder, 'monitors.json')
      writeFileSync(name, JSON.stringify(monitors))
      flags.push('--monitors', name)
    }
    const run = python([join(HERE, 'verify_export.py'), '--json', ...flags, ...names])
    return { status: run.status, answers: answersIn(run, files.length) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Verifies one file under each of several policies, in one run. */
export function verifyUnderInPython(
  bytes: Uint8Array,
  registry: Digest,
  policies: readonly string[],
): readonly PythonAnswer[] {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-python-'))
  try {
    const name = join(folder, 'export.ampere')
    writeFileSync(name, bytes)
    return askLogInPython(
      policies.map((policy) => ({ export: name, registry, policy })),
    ) as readonly PythonAnswer[]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Folds registries and chains in one run of fold_blocks.py. */
export function foldInPython(cases: readonly PythonCase[]): readonly PythonAnswer[] {
  const input = cases.map((given) => `${JSON.stringify(given)}\n`).join('')
  return answersIn(python([join(HERE, 'fold_blocks.py')], input), cases.length)
}

/** A case of a registry alone. */
export const ofRegistry = (registry: readonly string[]): PythonCase => ({
  registry,
  chain: '',
  parent: null,
  blocks: [],
})

/** Which rule, else which code, refuses each case; null for those that are taken. */
export const verdictsInPython = (cases: readonly PythonCase[]) =>
  foldInPython(cases).map(({ code, rule }) => rule ?? code ?? null)

/** Which signatures are valid, in one run of check_signatures.py. */
export function signaturesInPython(cases: SignatureCases): unknown {
  const run = python([join(HERE, 'check_signatures.py')], JSON.stringify(cases))
  if (run.status !== 0) throw new Error(run.stderr)
  return JSON.parse(run.stdout)
}

/** What check_revocations.py says of each statement, in order. */
export function revocationsInPython(given: object): unknown {
  const run = python([join(HERE, 'check_revocations.py')], JSON.stringify(given))
  if (run.status !== 0) throw new Error(run.stderr)
  return JSON.parse(run.stdout)
}

/** What check_log.py says to each question, in one run. */
export function askLogInPython(questions: readonly object[]): readonly unknown[] {
  const run = python([join(HERE, 'check_log.py')], JSON.stringify(questions))
  if (run.status !== 0) throw new Error(run.stderr)
  return JSON.parse(run.stdout) as readonly unknown[]
}

/** Code and rule of an error, as docs/PROTOCOL.md section 8 has them. @throws what is none of ours */
export function refusalOf(error: unknown): { readonly code: string; readonly rule: string | null } {
  if (!(error instanceof AmpereError)) throw error
  return { code: error.code, rule: /^rule ([a-z-]+):/.exec(error.message)?.[1] ?? null }
}

/** What both verifiers say: a refusal with code and rule, or all that a report says but details in words. */
export async function inNode(
  bytes: Uint8Array,
  registry?: Digest,
  nowMs?: number,
  policy?: string,
  monitors?: Monitors,
  shown?: Shown,
) {
  try {
    const options = {
      ...(registry && { registry }),
      ...(nowMs !== undefined && { nowMs }),
      ...(shown && { shown }),
      ...(policy !== undefined && { policy: parsePolicy(policy) }),
      ...(monitors !== undefined && { monitors }),
    }
    return comparable(await verifyExport(bytes, options))
  } catch (error) {
    return refusalOf(error)
  }
}

/** An answer of either verifier without what only one of them says, in an order that does not matter. */
export function comparable(answer: PythonAnswer | ExportReport) {
  if ('code' in answer) return { code: answer.code ?? '', rule: answer.rule ?? null }
  const { log, complete } = answer
  return {
    ...answer,
    complete: complete && {
      ...withoutDetail(complete),
      words: complete.words.map(({ origin, says, tree, seenMs }) => ({ origin, says, tree, seenMs })),
    },
    problems: answer.problems?.map(({ height, status, rule }) => ({ height, status, rule })),
    log: log && { statuses: log.statuses, receipts: log.receipts },
    erasures: answer.erasures?.map((erasure) => ({
      ...erasure,
      stated: erasure.stated.toSorted(),
      owing: erasure.owing.toSorted(),
    })),
  }
}

/** Of a log with two histories the problem says it. */
function withoutDetail(complete: NonNullable<PythonAnswer['complete']>) {
  const { forked: _, ...others } = complete
  return others
}

function python(args: readonly string[], input = '') {
  return spawnSync('python3', ['-B', ...args], { encoding: 'utf8', input, maxBuffer: 2 ** 28 })
}

function answersIn(run: ReturnType<typeof python>, expected: number): readonly PythonAnswer[] {
  const lines = run.stdout.split('\n').slice(0, -1)
  if (lines.length !== expected)
    throw new Error(`Python gave ${lines.length} of ${expected} answers: ${run.stderr}`)
  return lines.map((line) => JSON.parse(line) as PythonAnswer)
}
