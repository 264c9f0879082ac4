// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { buildChange } from '#core/registry/build.ts'
import { select } from '#core/ports/needs.ts'
import { addRegistryBlock, REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { NEW_HOME } from '#tests/core/chain/small-chain.ts'
import { entry, HOME } from '../attempts.ts'
import { movedWorld, type MovedWorld } from '../move/moved-world.ts'

const moves: RegistryChange = {
  act: 'rules',
  rules: { v: 1, kind: 'rules', home: NEW_HOME.deployment, demo: true },
}

describe('the block that moves a registry to a home', () => {
  let moved: MovedWorld
  beforeAll(async () => {
    moved = await movedWorld()
    await moved.receive()
  })
  /** Hands a change to the new home alone. */
  const handIn = async (changes: readonly RegistryChange[], approvers: readonly string[]) => {
    const { world, home, platform } = moved
    const link = (await home.registry.refresh()).link()
    if (!link) throw new Error('a registry is expected')
    const ports = { now: () => world.clock.now, random: world.random }
    const roots = approvers.map((name) => world.institution(name).root)
    const compact = await buildChange(ports, link, changes, world.institution('hospital-a').root, roots)
    return addRegistryBlock(await select(platform, REGISTRAR_NEEDS), home, compact)
  }

  it('is taken there alone, and no other block is while the registry is elsewhere', async () => {
    const { world } = moved
    const { kid } = world.institution('hospital-a').instance
    const revokes: RegistryChange = { act: 'revoke', kid, reason: 'retired', suspectFrom: null }
    const elsewhere = { code: 'CHAIN_MOVED', message: expect.stringContaining(world.home.origin) }
    await expect(handIn([revokes], [])).rejects.toMatchObject(elsewhere)
    await expect(handIn([moves], ['hospital-a'])).rejects.toMatchObject({ code: 'VIOLATION' })
    await handIn([moves], ['hospital-a', 'hospital-b'])
    await handIn([revokes], [])
    const newest = (await moved.home.registry.refresh()).newest()
    expect(newest.get('rules')).toMatchObject({ home: NEW_HOME.deployment })
    expect(newest.get(`key/${kid}`)).toMatchObject({ revoked: { reason: 'retired' } })
  })
})

describe('a home that the registry left', () => {
  let moved: MovedWorld
  let record: ChainId
  const refused = { code: 'CHAIN_MOVED', message: expect.stringContaining(NEW_HOME.origin) }
  beforeAll(async () => {
    moved = await movedWorld()
    const a = moved.world.connect('hospital-a')
    record = (await createRecord(a, HOME, ['general'])).record
    await moved.world.change('hospital-a', [moves], ['hospital-a', 'hospital-b'])
  })

  it('takes no new chain and no block of one that is there still: it learns of no revocation', async () => {
    const a = moved.world.connect('hospital-a')
    await expect(createRecord(a, HOME, ['general'])).rejects.toMatchObject(refused)
    await expect(a.append(record, [entry('late')])).rejects.toMatchObject(refused)
  })

  it('lets that chain go, which goes on where the registry is', async () => {
    await moveChain(moved.world.connect('hospital-a'), record, NEW_HOME)
    await moved.world.tendLog()
    await moved.receive()
    await (await moved.serve()).tendLog()
    expect(await (await moved.at('hospital-a')).append(record, [entry('there')])).toHaveLength(1)
  })
})
