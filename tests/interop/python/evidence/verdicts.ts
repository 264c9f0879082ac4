// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import type { Rejected } from '#tests/vectors/ampere/evidence/rejected.ts'
import { askLogInPython, refusalOf } from '../software.ts'

const FOLDER = new URL('../../../vectors/ampere/evidence/', import.meta.url)
const SUFFIX = '.ampere-evidence'
const vectorsOf = (name: string): unknown =>
  (JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { readonly vectors: unknown }).vectors

/** The frozen files that convince, by name; where one lies, for a command line. */
export const FILES: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => [name.slice(0, -SUFFIX.length), new Uint8Array(readFileSync(new URL(name, FOLDER)))]),
)
export const fileUrl = (name: string): URL => new URL(`${name}${SUFFIX}`, FOLDER)
/** The kind of a frozen file. */
export const kindOf = (name: string): string =>
  name.startsWith('leaf-form') ? 'leaf-form' : (name.split('-')[0] ?? '')
export const PINS = vectorsOf('pins.json') as EvidencePins
export const REJECTED = vectorsOf('rejected.json') as readonly Rejected[]

/** A file, and what its judge pins. */
export interface Case {
  readonly name: string
  readonly bytes: Uint8Array
  readonly pins: EvidencePins
}

/** The kind that convinces, or the code, with the rule where there is one. */
export type Verdict = string

/** What verifyEvidence says of each case. */
export async function verdictsInNode(cases: readonly Case[]): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = []
  for (const { bytes, pins } of cases) {
    try {
      verdicts.push((await verifyEvidence(bytes, pins)).kind)
    } catch (error) {
      verdicts.push(worded(refusalOf(error)))
    }
  }
  return verdicts
}

/** What the Python verifier says of each case, in one run. */
export function verdictsInPython(cases: readonly Case[]): readonly Verdict[] {
  const questions = cases.map(({ bytes, pins }) => ({
    evidence: Buffer.from(bytes).toString('base64'),
    registry: pins.registry,
    log: pins.logs,
  }))
  return askLogInPython(questions).map((answer) => {
    const { convinces, kind, code, rule } = answer as PythonVerdict
    return convinces ? kind : worded({ code, rule })
  })
}

interface PythonVerdict {
  readonly convinces: boolean
  readonly kind: string
  readonly code: string
  readonly rule: string | null
}

/** Expects that both say the same of all cases, and that all together are of these kinds and break these rules. */
export async function expectAlike(cases: readonly Case[], all: readonly string[]): Promise<void> {
  const here = await verdictsInNode(cases)
  expect(named(cases, verdictsInPython(cases))).toEqual(named(cases, here))
  const seen = new Set(here.map((verdict) => verdict.replace('VERIFICATION_FAILED ', '')))
  expect([...seen].toSorted()).toEqual([...all].toSorted())
}

/** The verdicts under the names of their cases, to compare and to read. */
export const named = (cases: readonly Case[], verdicts: readonly Verdict[]): readonly string[] =>
  cases.map(({ name }, i) => `${name}: ${verdicts[i]}`)

export function worded({ code, rule }: { readonly code: string; readonly rule: string | null }): Verdict {
  return rule === null ? code : `${code} ${rule}`
}
