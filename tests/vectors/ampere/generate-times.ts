// SPDX-License-Identifier: Apache-2.0
// Writes the vectors in times/: node tests/vectors/ampere/generate-times.ts
// As those in receipts/, each run makes others: what is frozen is one run.
import { writeFileSync } from 'node:fs'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { TIMED, type TimedVectors } from './times/timed-vectors.ts'

const FOLDER = new URL('times/', import.meta.url)

const vectors: TimedVectors['vectors'][number][] = []
const policies = new Set<string>()
for (const { name, make } of TIMED) {
  const { bytes, registry, policy } = await make()
  const { log, problems } = await verifyExport(bytes, { registry, policy: parsePolicy(policy) })
  const found = problems.map(({ height, status, rule }) => ({ height, status, rule }))
  vectors.push({ name, registry, statuses: log?.statuses ?? [], problems: found })
  policies.add(policy)
  writeFileSync(new URL(`${name}.ampere`, FOLDER), bytes)
}
const [policy = '', ...others] = policies
if (others.length > 0) throw new RangeError('one policy judges all')
writeFileSync(new URL('expected.json', FOLDER), `${JSON.stringify({ policy, vectors }, null, 1)}\n`)
