// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { select } from '#core/ports/needs.ts'
import { REPAIR_NEEDS } from '#core/server/repair/needs.ts'
import { repairLog } from '#core/server/repair/repair-log.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { auditNow, growTo, logged, type Logged } from './logged.ts'

const FULL = 'tile/entries/000'

describe('an entry bundle that is lost', () => {
  let at: Logged
  let chain: string
  let before: ReadonlyMap<string, Uint8Array | null>
  const repair = async () => repairLog(await select(at.world.platform, REPAIR_NEEDS), at.world.home, at.trust)
  const lose = async (...names: readonly string[]) => {
    for (const name of names) await at.stored.write(name, null)
  }
  const all = async () =>
    new Map(
      await Promise.all(at.stored.names().map(async (name) => [name, await at.stored.read(name)] as const)),
    )

  beforeAll(async () => {
    at = await logged()
    const grown = await growTo(at, await newChain(at.world), 530, 130)
    ;({ chain } = grown)
    before = await all()
  })

  afterEach(async () => {
    for (const name of at.stored.names()) await at.stored.write(name, before.get(name) ?? null)
    expect((await auditNow(at)).report.findings).toEqual([])
  })

  it('is made anew from its blocks, byte for byte, and it is said', async () => {
    await lose(FULL)
    const { repaired, report } = await repair()
    expect(repaired).toMatchObject([{ rule: 'bundle', status: 'missing', where: FULL }])
    expect(repaired[0]?.detail).toBe(
      'the bundle is not stored; the blocks of all its leaves are stored, and make it',
    )
    expect(report.findings).toEqual([])
    expect(await all()).toEqual(before)
  })

  it('is made anew though the rows that say which block is where are lost as well', async () => {
    await lose(FULL, ...at.stored.names().filter((name) => name.startsWith(`leaves/${chain}`)))
    expect((await repair()).report.findings).toEqual([])
    for (const name of [FULL, 'tile/0/000']) expect(await at.stored.read(name)).toEqual(before.get(name))
  })

  it('is made anew with all else that the log serves, from blocks, rows and the signed root alone', async () => {
    await lose(...at.stored.names().filter((name) => name.startsWith('tile/')))
    expect((await repair()).report.findings).toEqual([])
    for (const name of ['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/18', 'tile/1/000.p/2'])
      expect(await at.stored.read(name)).toEqual(before.get(name))
  })

  it('stays lost where the label key of one of its blocks is, and that leaf is named', async () => {
    await lose(FULL)
    const labels = at.world.platform.table('labels')
    const rows = await labels.range(chain, {})
    for (const { key, version } of rows) await labels.swap(chain, key, version, null)
    const { repaired, report } = await repair()
    expect(repaired).toEqual([])
    expect(report.findings).toMatchObject([{ rule: 'bundle', status: 'missing', where: FULL }])
    expect(report.findings[0]?.detail).toMatch(
      /^the bundle is not stored; it cannot be made from blocks: of 25\d of its leaves, the first \d+, no block with a label key is stored$/,
    )
    expect(await at.stored.read(FULL)).toBeNull()
    for (const { key, value } of rows) await labels.swap(chain, key, null, value)
  })

  it('stays lost where one block is, or is another than the one that was logged', async () => {
    const blocks = at.world.platform.table('blocks')
    const row = await blocks.get(chain, heightKey(9))
    if (!row) throw new Error('the chain has a block 9')
    for (const value of [
      null,
      Uint8Array.from(row.value, (byte, i) => (i === row.value.length - 9 ? byte ^ 1 : byte)),
    ]) {
      await lose(FULL)
      const now = await blocks.get(chain, heightKey(9))
      await blocks.swap(chain, heightKey(9), now?.version ?? null, value)
      const { repaired, report } = await repair()
      expect(repaired.filter(({ rule }) => rule === 'bundle')).toEqual([])
      const detail = expect.stringContaining('cannot be made from blocks: of 1 of its leaves')
      expect(report.findings).toContainEqual(expect.objectContaining({ rule: 'bundle', where: FULL, detail }))
      expect(await at.stored.read(FULL)).toBeNull()
    }
    const now = await blocks.get(chain, heightKey(9))
    await blocks.swap(chain, heightKey(9), now?.version ?? null, row.value)
  })

  it('is never made of blocks that rows say something false of: without tiles only the signed root decides', async () => {
    await lose(FULL, 'tile/0/000')
    const [name = ''] = at.stored.names().filter((each) => each.startsWith(`leaves/${chain}`))
    const row = new TextDecoder().decode(before.get(name) ?? new Uint8Array(0))
    await at.stored.write(
      name,
      new TextEncoder().encode(row.replace(/"index":(\d+)/, (_, n) => `"index":${Number(n) + 1}`)),
    )
    const { report } = await repair()
    expect(report.findings.map(({ rule }) => rule)).toContain('log-root')
    expect(await at.stored.read(FULL)).toBeNull()
  })
})
