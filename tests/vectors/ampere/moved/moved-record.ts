// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { select } from '#core/ports/needs.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { logReceiptFinder } from '#core/server/read/receipt.ts'
import { entry, HOME } from '#tests/core/server/attempts.ts'
import { movedWorld, type MovedWorld } from '#tests/core/server/move/moved-world.ts'

const DELAY_MS = 73 * 3_600_000

/** An export of a record that moved, and what is needed to verify it without any server. */
export interface MovedExport {
  readonly bytes: Uint8Array
  readonly registry: Digest
  /** Pins the logs of both homes, and one witness of both. */
  readonly policy: string
  /** Receipts of the old log for the rehome, and for the block before it. */
  readonly old: { readonly rehome: string; readonly before: string }
  readonly world: MovedWorld
}

/**
 * A record of two institutions that moved to another home at height 8. Heights 0 to 7 are in the log of the first home: 3
 * entries, 5 by an author whose key was revoked afterwards, and an erasure of the first that was carried out there, at 7. Then
 * come the rehome, an entry, and an erasure of an entry from before, which the first home has a copy of.
 */
export async function movedRecord(): Promise<MovedExport> {
  const moved = await movedWorld()
  const { world, clock, policy } = moved
  const [a, b] = [world.connect('hospital-a', { policy }), world.connect('hospital-b', { policy })]
  const { record, access } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('erased before')])
  await shareRecord(a, record, { institution: world.institution('hospital-b').id, rights: ['append', 'read'] })
  await world.tendLog()
  await a.append(record, [entry('erased after')])
  await b.append(record, [entry('by a key that is revoked since')])
  await world.tendLog()
  await erase(moved, a, record, 'erased before', world.tendLog)
  const { kid } = world.institution('hospital-b').instance
  await world.change('hospital-b', [{ act: 'revoke', kid, reason: 'retired', suspectFrom: null }])
  await world.tendLog()
  await moved.receive()
  await moved.move(a, [record, access])
  const there = await moved.at('hospital-a')
  const { tendLog } = await moved.serve()
  clock.now += 1000
  await there.append(record, [entry('after')])
  await tendLog()
  await erase(moved, there, record, 'erased after', tendLog)
  // Also of the rehome, for which the old home does not give it.
  const ofOldLog = logReceiptFinder(await select(world.platform, READER_NEEDS), policy)
  const [rehome, before] = await Promise.all([8, 7].map((height) => ofOldLog(record, height)))
  if (!rehome || !before) throw new Error('the old home logged the rehome')
  return {
    bytes: await exportRecord(there, record),
    registry: world.registryId,
    policy: formatPolicy(policy),
    old: { rehome: rehome.proof, before: before.proof },
    world: moved,
  }
}

async function erase(
  { world, clock }: MovedWorld,
  at: Connection,
  record: ChainId,
  text: string,
  tendLog: () => Promise<void>,
): Promise<void> {
  const { opened } = await at.read(record)
  const entries = opened.filter(({ content }) => new TextDecoder().decode(content) === text)
  const { instance, second } = world.institution('hospital-a')
  const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
  const { block } = await requestErasure(at, record, what, { instances: [instance, second] })
  await tendLog()
  clock.now += DELAY_MS
  await settleErasure(at, record, block.height, 'complete')
  await tendLog()
}
