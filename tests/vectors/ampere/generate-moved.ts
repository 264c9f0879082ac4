// SPDX-License-Identifier: Apache-2.0
// Writes the vectors in moved/: node tests/vectors/ampere/generate-moved.ts
// `oldReceipt` is that of the old log for the rehome (height 8): in the place of its own it is a problem, `receipt`.
// As generate-receipts.ts: each run makes other signatures, and other blocks on them; what is frozen is one run.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { verifyExport, type ExportReport } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { expectedOf } from './generate-receipts.ts'
import { movedRecord } from './moved/moved-record.ts'

const FOLDER = new URL('moved/', import.meta.url)

/** What a verifier must say, of a report of ours. */
export function expectedOfMoved(report: ExportReport) {
  const erasures = report.erasures.map(({ height, status, stated, owing }) => ({ height, status, stated, owing }))
  return { ...expectedOf(report), erasures }
}

async function write(): Promise<void> {
  const { bytes, registry, policy, old } = await movedRecord()
  const judged = await verifyExport(bytes, { registry, policy: parsePolicy(policy) })
  const expected = { registry, asOf: judged.asOf, underPolicy: expectedOfMoved(judged), oldReceipt: old.rehome }
  writeFileSync(new URL('export.ampere', FOLDER), bytes)
  writeFileSync(new URL('policy.txt', FOLDER), policy)
  writeFileSync(new URL('expected.json', FOLDER), `${JSON.stringify(expected, null, 1)}\n`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await write()
