// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { entry, HOME } from '#tests/core/server/attempts.ts'
import { movedWorld } from '#tests/core/server/move/moved-world.ts'

export type Reason = 'retired' | 'suspended' | 'compromised'

/** One record before and after it moved. */
export interface RevokedExport {
  readonly registry: Digest
  /** Pins both logs and a witness of both. */
  readonly policy: string
  /** Pins both logs, and asks for no witness. */
  readonly unwitnessed: string
  readonly before: Uint8Array
  readonly after: Uint8Array
}

/**
 * A record with two entries by a key that was revoked: the first, at height 3, was logged and seen an hour before, the second, at
 * 4, was logged behind the revocation, within what clocks may differ by. At 5 is the rehome.
 */
export async function revokedRecord(reason: Reason): Promise<RevokedExport> {
  const moved = await movedWorld()
  const { world, clock, policy } = moved
  const [a, b] = [world.connect('hospital-a', { policy }), world.connect('hospital-b', { policy })]
  const { record, access } = await createRecord(a, HOME, ['general'])
  await shareRecord(a, record, { institution: world.institution('hospital-b').id, rights: ['append', 'read'] })
  await b.append(record, [entry('long before')])
  await world.tendLog()
  clock.now += 3_600_000
  await b.append(record, [entry('logged behind it')])
  const { kid } = world.institution('hospital-b').instance
  await world.change('hospital-b', [{ act: 'revoke', kid, reason, suspectFrom: null }])
  await world.tendLog()
  const before = await exportRecord(a, record)
  await moved.receive()
  await moved.move(a, [record, access])
  const text = formatPolicy(policy)
  const logs = text.split('\n').filter((line) => line.startsWith('log '))
  return {
    registry: world.registryId,
    policy: text,
    unwitnessed: [...logs, 'quorum none', ''].join('\n'),
    before,
    after: await exportRecord(await moved.at('hospital-a'), record),
  }
}
