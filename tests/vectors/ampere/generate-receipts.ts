// SPDX-License-Identifier: Apache-2.0
// Writes the vectors in receipts/: node tests/vectors/ampere/generate-receipts.ts
// Keys, ids and times are drawn from the seeds of the worlds that tests use. ECDSA, ML-DSA-44 and HPKE draw their own
// randomness, so each run makes other signatures and envelopes, and other blocks on them: what is frozen is one run.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { verifyExport, type ExportReport } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { witnessedRecord } from './receipts/witnessed-record.ts'

const FOLDER = new URL('receipts/', import.meta.url)

/** What a verifier must say, of a report of ours. */
export function expectedOf({ statuses, problems, log }: ExportReport) {
  return {
    statuses,
    problems: problems.map(({ height, status, rule }) => ({ height, status, rule })),
    log: log && { statuses: log.statuses, receipts: log.receipts },
  }
}

async function write(): Promise<void> {
  const { bytes, registry, policy } = await witnessedRecord()
  const judged = await verifyExport(bytes, { registry, policy: parsePolicy(policy) })
  const expected = {
    registry,
    asOf: judged.asOf,
    underPolicy: expectedOf(judged),
    withoutPolicy: expectedOf(await verifyExport(bytes, { registry })),
  }
  writeFileSync(new URL('export.ampere', FOLDER), bytes)
  writeFileSync(new URL('policy.txt', FOLDER), policy)
  writeFileSync(new URL('expected.json', FOLDER), `${JSON.stringify(expected, null, 1)}\n`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await write()
