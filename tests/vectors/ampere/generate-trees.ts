// SPDX-License-Identifier: Apache-2.0
// Writes receipts/trees.json: node tests/vectors/ampere/generate-trees.ts
// The record is that of receipts/export.ampere; the log's keys are those whose seeds are the bytes 91 and 92, 32 times, and
// what else is in the log is drawn from the seed. Every run gives the same bytes. Vectors that have been published are not
// generated again: a change of format gets a new file.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { asDigest } from '#core/bytes/ids.ts'
import { linesOf, type Line } from '#tests/core/client/receipt/export-mutations.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { treeCases, type TreeCase } from './receipts/trees.ts'
import { LOG } from './evidence/world.ts'
import { SEED } from './seeded-bytes.ts'

const EXPORT = new URL('receipts/export.ampere', import.meta.url)
const FILE = new URL('receipts/trees.json', import.meta.url)

/** What the file holds: what each file must be judged to be, under this policy. */
export interface TreeVectors {
  readonly seed: string
  readonly registry: string
  readonly policy: string
  /** Lines that stand after the first line of export.ampere, from which all receipts and checkpoints are taken away. */
  readonly vectors: readonly TreeCase[]
}

/** The record without anything of the log. */
export function withoutLog(lines: readonly Line[]): readonly Line[] {
  return lines.filter((line) => !('under' in line || 'checkpoint' in line))
}

/** The vectors, made anew. */
export async function treeVectors(): Promise<TreeVectors> {
  const lines = withoutLog(linesOf(readFileSync(EXPORT, 'utf8')))
  const signers = [await signerOf(LOG, 'Ed25519', 91), await signerOf(LOG, 'cosignature-ML-DSA-44', 92)]
  const policy = [...signers.map(({ key }) => `log ${formatVerifierKey(key)}\n`), 'quorum none\n'].join('')
  const registry = asDigest(String(lines[0]?.['registry']))
  return { seed: SEED, registry, policy, vectors: await treeCases(lines, registry, signers) }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(FILE, `${JSON.stringify(await treeVectors(), null, 1)}\n`)
