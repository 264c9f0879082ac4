// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { failAt, killAfter, withFaults, type FaultPlan } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { compareHomes } from '#core/server/compare/compare-homes.ts'
import { chainsOf, storedSource } from '#core/server/copy/source.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { FAULTS } from '#tests/fault/each-call.ts'
import { entry, HOME } from '../attempts.ts'
import { movedWorld, NEW_HOME, type MovedWorld } from './moved-world.ts'

const SAME = { differences: [], unlisted: 0 }
const PLANS: readonly (readonly [string, (k: number) => FaultPlan])[] = [
  ...FAULTS.map((fault) => [fault, (k: number) => failAt(k, fault)] as const),
  ['killed', (k) => killAfter(k)],
]

describe.each(PLANS)('receiving a home with one call %s', (_, plan) => {
  let moved: MovedWorld
  beforeAll(async () => {
    moved = await movedWorld()
    const a = moved.world.connect('hospital-a', { policy: moved.policy })
    const { record } = await createRecord(a, HOME, ['general'])
    await a.append(record, [entry('one')])
    await moved.world.tendLog()
    await moveChain(a, record, NEW_HOME)
    await moved.world.tendLog()
  })

  it('is gone on with, whichever call it was, and then has all of it once', async () => {
    let calls = 0
    for (let k = 0; ; k++) {
      const base: Platform = {
        ...openMemory({ now: () => moved.clock.now }),
        signer: (name) => moved.platform.signer(name),
      }
      const faults = withFaults(base)
      faults.plan(plan(k))
      const failed = await moved.receive(faults.platform).then(
        () => false,
        () => true,
      )
      calls = faults.calls().length
      if (calls <= k) break
      faults.plan(() => null)
      if (failed) await moved.receive(faults.platform)
      await check(moved, base, k)
    }
    expect(calls).toBeGreaterThan(40)
  }, 120_000)
})

async function check({ left, home, world }: MovedWorld, platform: Platform, k: number) {
  const back = storedSource(await select(platform, BACKUP_NEEDS))
  const found = await compareHomes(left.source, back, { hasOwnLog: true })
  const ports = await select(platform, AUDITOR_NEEDS)
  const registry = createRegistrySource(platform.table('registry'), world.registryId, createVerifiers())
  const { findings } = await auditChains(ports, { ...home, registry }, listChains(ports))
  const receipts: number[] = []
  for await (const chain of chainsOf(back)) receipts.push((await back.moved(chain)).receipts.length)
  expect({ k, findings, ...found }).toMatchObject({ k, findings: [], ...SAME })
  expect(receipts.toSorted((a, b) => a - b)).toEqual([2, 3])
}
