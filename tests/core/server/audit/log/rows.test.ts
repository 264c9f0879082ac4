// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { fromUtf8, toHex, utf8 } from '#core/bytes/encoding.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { decodeLeaf } from '#core/block/leaf.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { select } from '#core/ports/needs.ts'
import { REPAIR_NEEDS } from '#core/server/repair/needs.ts'
import { repairLog } from '#core/server/repair/repair-log.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { auditNow, growTo, logged, type Logged } from './logged.ts'

describe('rows that say which block is which leaf', () => {
  let at: Logged
  let first: Replica
  let second: Replica
  let names: readonly (readonly string[])[]
  let before: ReadonlyMap<string, Uint8Array | null>

  beforeEach(async () => {
    at = await logged()
    first = await growTo(at, await newChain(at.world), 8, 3)
    second = await growTo(at, await newChain(at.world), 16, 2)
    first = await growTo(at, first, 20, 2)
    names = [first, second].map(({ chain }) =>
      at.stored.names().filter((name) => name.startsWith(`leaves/${chain}/`)),
    )
    before = new Map(
      await Promise.all(at.stored.names().map(async (name) => [name, await at.stored.read(name)] as const)),
    )
    expect((await auditNow(at)).report.findings).toEqual([])
  })

  const row = (index: number, count = 1) => utf8(JSON.stringify({ count, index, v: 1 }))
  const name = (chain: 0 | 1, at_: number) => names[chain]?.at(at_) ?? ''
  const old = (of: string) => before.get(of) ?? null

  const text = (bytes: Uint8Array | null) => bytes && fromUtf8(bytes)

  /** Damages, audits and repairs: all rows are as they were. */
  async function survives(changes: Readonly<Record<string, Uint8Array | null>>) {
    const table = at.world.platform.table('leaves')
    const invented: [string, string][] = []
    for (const [where, bytes] of Object.entries(changes)) {
      if (before.has(where)) await at.stored.write(where, bytes)
      else {
        const [, chain = '', key = ''] = where.split('/')
        invented.push([chain, key])
        await table.insert(chain, key, bytes ?? new Uint8Array(0))
      }
    }
    const found = (await auditNow(at)).report.findings
    expect(found).not.toEqual([])
    const { repaired, report } = await repairLog(
      await select(at.world.platform, REPAIR_NEEDS),
      at.world.home,
      at.trust,
    )
    expect(report.findings).toEqual([])
    expect(repaired.map(({ rule }) => rule)).toEqual(repaired.map(() => 'leaf-row'))
    for (const [where, bytes] of before)
      if (where.startsWith('leaves/'))
        expect([where, text(await at.stored.read(where))]).toEqual([where, text(bytes)])
    for (const [chain, key] of invented) expect(await table.get(chain, key)).toBeNull()
    return found
  }

  /** Another sequencer, which remembers nothing, logs more of both chains. */
  async function goesOn() {
    const ports = await select(at.world.platform, SEQUENCER_NEEDS)
    const again = { ...at, sequencer: createSequencer(ports, at.world.home) }
    const { size } = await again.sequencer.run()
    await growTo(again, first, size + 2, 2)
    await growTo(again, second, size + 4, 2)
    expect((await auditNow(at)).report).toMatchObject({ size: size + 4, findings: [] })
    const bundle = (await at.stored.read(`tile/entries/000.p/${size + 4}`)) ?? new Uint8Array(0)
    const labels = decodeBundle(bundle, size + 4).map((each) => toHex(decodeLeaf(each).label))
    expect(new Set(labels).size).toBe(size + 4)
  }

  it('are put back where the newest of a chain is lost', async () => {
    const found = await survives({ [name(0, -1)]: null })
    expect(found).toContainEqual(
      expect.objectContaining({ rule: 'leaf-row', status: 'missing', where: name(0, -1) }),
    )
    // Only rows were wrong: no block is said to be lost or late.
    expect(new Set(found.map(({ rule }) => rule))).toEqual(new Set(['leaf-row']))
    await goesOn()
  })

  it('are put back where one in the middle is lost, also a gap of two chains', async () => {
    await survives({ [name(1, 1)]: null })
    await survives({ [name(0, 1)]: null, [name(0, 2)]: null, [name(1, 0)]: null })
    await goesOn()
  })

  it('are put back where all of two chains are lost', async () => {
    const gone = Object.fromEntries([...(names[0] ?? []), ...(names[1] ?? [])].map((each) => [each, null]))
    for (const each of Object.keys(gone)) await at.stored.write(each, null)
    const ports = await select(at.world.platform, REPAIR_NEEDS)
    const { report } = await repairLog(ports, at.world.home, at.trust)
    expect(report.findings).toEqual([])
    await goesOn()
  })

  it('are exchanged back between two heights of a chain', async () => {
    await survives({ [name(1, 0)]: old(name(1, 1)), [name(1, 1)]: old(name(1, 0)) })
    await goesOn()
  })

  it('are exchanged back between two chains, also the newest of both', async () => {
    await survives({ [name(0, 0)]: old(name(1, 0)), [name(1, 0)]: old(name(0, 0)) })
    await survives({ [name(0, -1)]: old(name(1, -1)), [name(1, -1)]: old(name(0, -1)) })
    await goesOn()
  })

  it('are put right where one points past the tree', async () => {
    await survives({ [name(0, -1)]: row(4000, 2) })
    await goesOn()
  })

  it('are removed where one is of a block that does not exist, wherever it points', async () => {
    for (const index of [0, 5, 19, 4000])
      await survives({ [`leaves/${second.chain}/${heightKey(500)}`]: row(index, 3) })
    await goesOn()
  })

  it('are put right where one covers more blocks than there are, or none', async () => {
    await survives({ [name(1, -1)]: row(14, 200) })
    await survives({ [name(1, -1)]: utf8('{}') })
    await survives({ [name(1, -1)]: row(14, 9_007_199_254_740_991) })
    await goesOn()
  })

  it('keep the place of a block that is lost together with its row, so that no other gets its label', async () => {
    const blocks = at.world.platform.table('blocks')
    const newest = second.link.opened.block.height
    for (const height of [newest, newest - 1]) {
      const block = await blocks.get(second.chain, heightKey(height))
      await blocks.swap(second.chain, heightKey(height), block?.version ?? null, null)
    }
    await at.stored.write(name(1, -1), null)
    const ports = await select(at.world.platform, REPAIR_NEEDS)
    const { report } = await repairLog(ports, at.world.home, at.trust)
    expect(report.findings).toMatchObject([
      { rule: 'logged-block', where: `block ${second.chain}/${newest - 1}` },
      { rule: 'logged-block', where: `block ${second.chain}/${newest}` },
    ])
    expect(await at.stored.read(name(1, -1))).toEqual(old(name(1, -1)))
  })

  it('are found again while a bundle that has some of their leaves cannot be made anew, or left alone', async () => {
    const labels = at.world.platform.table('labels')
    for (const { key, version } of await labels.range(first.chain, {}))
      await labels.swap(first.chain, key, version, null)
    const bundle = 'tile/entries/000.p/20'
    await at.stored.write(bundle, null)
    await at.stored.write(name(1, 0), null)
    const ports = await select(at.world.platform, REPAIR_NEEDS)
    const { report } = await repairLog(ports, at.world.home, at.trust)
    expect(report.findings).toContainEqual(expect.objectContaining({ rule: 'bundle' }))
    // What is right stays, whatever cannot be read.
    for (const each of names[0] ?? []) expect(await at.stored.read(each)).toEqual(old(each))
    for (const each of (names[1] ?? []).slice(1)) expect(await at.stored.read(each)).toEqual(old(each))
  })
})
