// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { START_MS } from '#tests/deployment.ts'
import { collude, entry, forgery, revokedScene } from '#tests/e2e/revoked-scene.ts'

const WEEK_MS = 7 * 86_400_000

/** An export, and what is needed to verify it without any server. */
export interface WitnessedExport {
  readonly bytes: Uint8Array
  readonly registry: Digest
  /** In the format of c2sp.org/tlog-policy: two keys of the log, two witnesses with two keys each, one must cosign. */
  readonly policy: string
}

/**
 * A record whose blocks show what a log can say. Heights 0 to 2 are an institution's; 3 was signed by a key that is
 * revoked since, from a time before witnesses saw the block; 4 by a thief who has the key, with a home that colludes, and
 * was logged after the revocation; 5 came after that. 6 was filed a week later, at once before the export, and is in no tree.
 */
export async function witnessedRecord(): Promise<WitnessedExport> {
  const { world, clock, policy } = await witnessedWorld(['w1', 'w2'], 1)
  const at = await revokedScene(world, toTimestamp(START_MS), ['by the key that is revoked later'])
  await world.tendLog()
  await collude(at, await forgery(at, { registry: at.before }))
  await at.a.append(at.record, [entry('two')])
  await world.tendLog()
  clock.now += WEEK_MS
  await at.a.append(at.record, [entry('three')])
  const bytes = await exportRecord(world.connect('hospital-a'), at.record)
  return { bytes, registry: world.registryId, policy: formatPolicy(policy) }
}
