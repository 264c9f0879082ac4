// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { memoryObjects } from '#adapters/memory/objects.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import { connect } from '#core/client/connect.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { createShown } from '#core/client/receipt/shown.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { backupSource } from '#core/server/backup/backup-source.ts'
import { backupHome } from '#core/server/backup/backup.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { openBackup } from '#core/server/backup/part-reader.ts'
import { areEqual, compareHomes } from '#core/server/compare/compare-homes.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome } from '#core/server/restore/restore.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { entry, HOME } from '../attempts.ts'
import { movedWorld, NEW_HOME, type MovedWorld } from './moved-world.ts'

const storesOf = async (platform: Platform) => storedSource(await select(platform, BACKUP_NEEDS))

describe('a home that received the chains of another', () => {
  let moved: MovedWorld
  let record: ChainId
  beforeAll(async () => {
    moved = await movedWorld()
    const a = moved.world.connect('hospital-a', { policy: moved.policy })
    const made = await createRecord(a, HOME, ['general'])
    record = made.record
    await a.append(record, [entry('one')])
    await moved.world.tendLog()
    await moved.receive()
    const same = await compareHomes(moved.left.source, await storesOf(moved.platform), { hasOwnLog: true })
    expect(areEqual(same)).toBe(true)
    expect(same).toMatchObject({ chains: 2, blocks: 5 })
    await moved.move(a, [record, made.access])
  })

  it('passes an audit of its chains', async () => {
    const ports = await select(moved.platform, AUDITOR_NEEDS)
    const { findings } = await auditChains(ports, moved.home, listChains(ports))
    expect(findings).toEqual([])
  })

  it('receives the same again, and nothing of it changes', async () => {
    const before = await backedUp(moved)
    const report = await moved.receive()
    expect(report).toMatchObject({ chains: 2, receipts: 5, unlogged: 0 })
    expect(areEqual(await compareHomes(before, await storesOf(moved.platform)))).toBe(true)
  })

  it('is backed up and restored with the receipts of the log that its chains left', async () => {
    const source = await backedUp(moved)
    const back: Platform = {
      ...openMemory({ now: () => moved.clock.now }),
      signer: (name) => moved.platform.signer(name),
    }
    const { pinned } = moved.home.registry
    const home = {
      ...moved.home,
      registry: createRegistrySource(back.table('registry'), pinned, createVerifiers()),
    }
    const options = { seen: [], policy: moved.policy, acceptLoss: false }
    await restoreHome(source, await select(back, RESTORE_NEEDS), home, options)
    expect(areEqual(await compareHomes(await storesOf(moved.platform), await storesOf(back)))).toBe(true)
    const find = receiptFinder(await select(back, READER_NEEDS), moved.policy)
    const first = await moved.left.findReceipt(record, 2)
    expect(first?.level).toBe('witnessed')
    expect(await find(record, 2)).toEqual(first)
  })

  it('refuses a copy that lacks an object which nothing ordered to be erased', async () => {
    const lacking = { ...moved.left, source: { ...moved.left.source, object: async () => null } }
    const platform = openMemory({ now: () => moved.clock.now })
    const to = {
      ...platform,
      signer: (name: Parameters<Platform['signer']>[0]) => moved.platform.signer(name),
    }
    await expect(moved.receive(to, lacking)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('rule object'),
    })
  })
})

describe('a record whose home is gone', () => {
  it('goes on at the new home alone, and whoever has what the old one took since shows it', async () => {
    const moved = await movedWorld()
    const { world, policy } = moved
    const a = world.connect('hospital-a', { policy })
    const { record } = await createRecord(a, HOME, ['general'])
    await world.tendLog()
    await moved.receive()
    await (await moved.serve()).tendLog()
    const there = await moved.at('hospital-a')
    await expect(there.read(record)).rejects.toMatchObject({ message: expect.stringContaining('rule home') })
    // What is signed for the old home the new one does not take before that.
    const misled = connect({
      ...a.ports,
      fetch: async (request) =>
        request.url.endsWith('/v1/blocks') ? there.ports.fetch(request) : a.ports.fetch(request),
    })
    const early = misled.append(record, [entry('early')])
    await expect(early).rejects.toMatchObject({ code: 'CHAIN_MOVED' })
    await moveChain({ ...a, submit: (append) => there.submit(append) }, record, NEW_HOME)
    await (await moved.serve()).tendLog()
    expect((await there.read(record)).opened).toEqual([])
    // It was not gone: what it took is a second block at this height.
    await a.append(record, [entry('lost')])
    await world.tendLog()
    const shown = createShown()
    const options = { registry: world.registryId, policy, shown }
    expect((await verifyExport(await exportRecord(a, record), options)).problems).toEqual([])
    const { problems } = await verifyExport(await exportRecord(there, record), options)
    expect(problems).toMatchObject([{ height: 2, status: 'forked', rule: 'two-blocks' }])
  })
})

/** A copy of the second home as it is now. */
async function backedUp({ home, platform, clock }: MovedWorld): Promise<HomeSource> {
  const { deployment, origin, registry } = home
  const to = memoryObjects()
  const of = { deployment, origin, registry: registry.pinned, backupDays: 30 }
  await backupHome(await storesOf(platform), to, of, () => clock.now)
  return backupSource(to, await openBackup(to))
}
