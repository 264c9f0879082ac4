// SPDX-License-Identifier: Apache-2.0
// Writes the vectors in lookups/: node tests/vectors/ampere/generate-lookups.ts
// As generate-receipts.ts: each run makes other signatures, and other blocks on them; what is frozen is one run.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { verifyExport, type ExportReport, type VerifyOptions } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { lookupRecord } from './lookups/monitored-record.ts'

const FOLDER = new URL('lookups/', import.meta.url)

/** What a verifier must say of completeness, of a report of ours. */
export function expectedOf({ complete: { forked: _, ...complete }, problems }: ExportReport) {
  return {
    complete: { ...complete, words: complete.words.map(({ detail: __, ...word }) => word) },
    problems: problems.map(({ height, status, rule }) => ({ height, status, rule })),
  }
}

async function write(): Promise<void> {
  const { file, spoilt, registry, policy, monitors } = await lookupRecord()
  const judge = async (bytes: Uint8Array, options: VerifyOptions) =>
    expectedOf(await verifyExport(bytes, { registry, ...options }))
  const pinned = { policy: parsePolicy(policy), monitors }
  const vectors = []
  for (const { name, why, without, with: added, file: bytes } of spoilt)
    vectors.push({ name, why, expected: await judge(bytes, pinned), without, with: added })
  const expected = {
    registry,
    pinned: await judge(file, pinned),
    withoutMonitors: await judge(file, { policy: pinned.policy }),
    withoutPolicy: await judge(file, { monitors }),
  }
  const json = (value: object) => `${JSON.stringify(value, null, 1)}\n`
  writeFileSync(new URL('export.ampere', FOLDER), file)
  writeFileSync(new URL('policy.txt', FOLDER), policy)
  writeFileSync(new URL('monitors.json', FOLDER), json(monitors))
  writeFileSync(new URL('expected.json', FOLDER), json(expected))
  writeFileSync(new URL('spoilt.json', FOLDER), json({ vectors }))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await write()
