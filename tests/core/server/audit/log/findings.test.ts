// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { stagingName } from '#core/server/sequence/staging.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { decodeBundle, encodeBundle } from '#core/log/tile/bundle.ts'
import { EMPTY_EDGE, grow } from '#core/log/tile/grow.ts'
import { select } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { signTree } from '#core/server/sequence/tree.ts'
import { REPAIR_NEEDS } from '#core/server/repair/needs.ts'
import { repairLog } from '#core/server/repair/repair-log.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { auditNow, damagedLog, growTo, type Logged } from './logged.ts'

describe('what an audit of the log finds', () => {
  let at: Logged
  let chains: readonly ChainId[]
  let grown: ChainId
  beforeAll(async () => {
    at = await damagedLog()
    const other = await growTo(at, await newChain(at.world), 270, 3)
    const leaves = at.stored.names().flatMap((name) => /^leaves\/([^/]+)/.exec(name)?.[1] ?? [])
    chains = [...new Set(leaves)].filter((id) => id !== at.world.registryId) as ChainId[]
    grown = other.chain
    expect(chains).toContain(grown)
  })

  /** Changes what is stored, as long as `act` takes. */
  async function changed(changes: Readonly<Record<string, Uint8Array | null>>, act: () => Promise<void>) {
    const before = new Map<string, Uint8Array | null>()
    for (const [name, bytes] of Object.entries(changes)) {
      before.set(name, await at.stored.read(name))
      await at.stored.write(name, bytes)
    }
    try {
      await act()
    } finally {
      for (const [name, bytes] of before) await at.stored.write(name, bytes)
    }
    expect((await auditNow(at)).report.findings).toEqual([])
  }

  const findings = async () => (await auditNow(at)).report.findings
  const repaired = async () =>
    (await repairLog(await select(at.world.platform, REPAIR_NEEDS), at.world.home, at.trust)).report.findings
  const read = async (name: string) => (await at.stored.read(name)) ?? new Uint8Array(0)

  it('a bundle that was changed together with its tile, by the tiles above', async () => {
    const entries = decodeBundle(await read('tile/entries/000'), 256)
    const forged = entries.map((entry, i) =>
      i === 7 ? Uint8Array.from(entry, (byte, k) => (k === 40 ? byte ^ 1 : byte)) : entry,
    )
    const { tiles } = grow(EMPTY_EDGE, forged.map(leafHash))
    const changes = { 'tile/entries/000': encodeBundle(forged), 'tile/0/000': tiles[0]?.bytes ?? null }
    await changed(changes, async () => {
      // The hash of the tile is proved; what it and the bundle were, blocks and their rows tell.
      expect(await findings()).toMatchObject([
        { rule: 'bundle', status: 'tampered', where: 'tile/entries/000' },
        { rule: 'tile', status: 'tampered', where: 'tile/0/000' },
      ])
    })
  })

  it('a bundle and a tile at the edge that were damaged at once, each by itself', async () => {
    const bundle = Uint8Array.from(await read('tile/entries/000'))
    bundle[1000] = (bundle[1000] ?? 0) ^ 4
    const tile = (await read('tile/0/001.p/14')).slice(0, -32)
    await changed({ 'tile/entries/000': bundle, 'tile/0/001.p/14': tile }, async () => {
      expect(await findings()).toMatchObject([
        { rule: 'bundle', where: 'tile/entries/000' },
        { rule: 'tile', where: 'tile/0/001.p/14' },
      ])
      expect(await repaired()).toEqual([])
    })
  })

  it('a second root for one size, signed by the keys of the log', async () => {
    const { keys } = await select(at.world.platform, SEQUENCER_NEEDS)
    const { origin, size } = checkpointIn(fromUtf8(await read('checkpoints/log/published')))
    const fork = await signTree(
      { keys },
      { origin, size, root: merkleRoot([leafHash(utf8('x'))]), extensions: [] },
      1,
    )
    await changed({ 'checkpoints/log/published': utf8(fork) }, async () => {
      const found = await findings()
      expect(found.map(({ rule }) => rule)).toContain('forked')
      expect(found.map(({ rule }) => rule)).toContain('log-root')
      expect((await repaired()).map(({ rule }) => rule)).toContain('forked')
      expect(await read('checkpoints/log/published')).toEqual(utf8(fork))
    })
  })

  it('a committed tree that was set back, and a published one', async () => {
    const older = await read('checkpoints/witnessed/0000000000000258')
    await changed({ 'checkpoints/log/published': older }, async () => {
      expect(await findings()).toEqual([])
      at.world.clock.now += 61_000
      expect(await findings()).toMatchObject([{ rule: 'published-row', status: 'missing' }])
      expect(await repaired()).toEqual([])
    })
    const tree = JSON.parse(fromUtf8(await read('checkpoints/log/tree'))) as { note: string; staging: string }
    const staging = stagingName(0, checkpointIn(fromUtf8(older)))
    const keys = { logs: at.trust.keys, cosigners: [] }
    const [signedAt] = (await openCheckpoint(older, keys, createVerifiers())).signedAt
    const back = utf8(JSON.stringify({ ...tree, note: fromUtf8(older), staging, signedAt, seal: null }))
    await changed({ 'checkpoints/log/tree': back }, async () => {
      expect(await findings()).toMatchObject([{ rule: 'rolled-back', where: 'checkpoints/log/tree' }])
      expect(await repaired()).toHaveLength(1)
    })
  })

  it('a block that is another than the one that was logged, and one that is gone', async () => {
    const blocks = at.world.platform.table('blocks')
    const chain = grown
    const row = await blocks.get(chain, heightKey(3))
    if (!row) throw new Error('the chain has a block 3')
    const swap = async (value: Uint8Array | null) => {
      const now = await blocks.get(chain, heightKey(3))
      await blocks.swap(chain, heightKey(3), now?.version ?? null, value)
    }
    const where = `block ${chain}/3`
    await swap(Uint8Array.from(row.value, (byte, i) => (i === row.value.length - 9 ? byte ^ 1 : byte)))
    expect(await findings()).toMatchObject([{ rule: 'leaf-hash', status: 'tampered', where }])
    expect(await repaired()).toHaveLength(1)
    await swap(null)
    expect(await findings()).toMatchObject([{ rule: 'logged-block', status: 'missing', where }])
    await swap(row.value)
    expect(await findings()).toEqual([])
  })

  it('rows that claim each other’s leaves, and puts them right or leaves them alone', async () => {
    const names = at.stored.names().filter((name) => name.startsWith('leaves/'))
    // The newest row of each chain, and an older one: with rows of other lengths as well.
    const some = [...chains.map((id) => names.findLast((name) => name.includes(id)) ?? ''), names[0] ?? '']
    for (const a of some)
      for (const b of some.filter((name) => name > a)) {
        const [ofA, ofB] = [await read(a), await read(b)]
        await at.stored.write(a, ofB)
        await at.stored.write(b, ofA)
        const rules = (await findings()).map(({ rule }) => rule)
        expect({ a, b, rules }).not.toMatchObject({ rules: [] })
        const left = await repaired()
        // It may not be clear which row is right: then it is not touched, and it is still said.
        const [afterA, afterB] = [await read(a), await read(b)]
        expect(left.length > 0 ? [ofA, ofB] : [ofA]).toContainEqual(afterA)
        expect(left.length > 0 ? [ofB, ofA] : [ofB]).toContainEqual(afterB)
        await at.stored.write(a, ofA)
        await at.stored.write(b, ofB)
      }
  })

  it('a log whose keys are not those that are trusted', async () => {
    const [first] = at.trust.keys
    if (!first) throw new Error('a log has keys')
    const { report } = await auditNow({
      world: at.world,
      trust: { keys: [{ ...first, id: first.id ^ 1 }], policy: null },
    })
    expect(report.findings.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['tree-row', 'published-row']),
    )
  })
})
