// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { chainPartition, packageRowKey, parsePackage } from '#core/server/store/rows.ts'
import { blockAt, put, type Audited } from './audited.ts'

/** One thing that is changed or lost, and the one finding that must come of it. */
export interface Damage {
  readonly what: string
  readonly make: (at: Audited) => Promise<unknown>
  readonly height: (at: Audited) => number
  readonly status: 'tampered' | 'missing'
  readonly rule: string
  readonly chain?: 'record' | 'ended'
}

/** Height of the rotation in `record`. */
const ROTATED = 5
export const nothing = () => null

/** Damage to what a chain keeps of itself and its keys. */
export const TO_KEYS: readonly Damage[] = [
  {
    what: 'a chain that is not listed any more',
    make: ({ world, record }) => put(world, 'chains', chainPartition(record), record, nothing),
    height: () => 0,
    status: 'missing',
    rule: 'chain-row',
  },
  {
    what: 'a changed control state',
    make: async (of) =>
      put(of.world, 'states', of.record, (await blockAt(of, of.record, 1)).state, (text) =>
        text.replace('"hold":false', '"hold":true'),
      ),
    height: () => 1,
    status: 'tampered',
    rule: 'state-row',
  },
  {
    what: 'a lost control state',
    make: async (of) => put(of.world, 'states', of.record, (await blockAt(of, of.record, 1)).state, nothing),
    height: () => 1,
    status: 'missing',
    rule: 'state-row',
  },
  {
    what: 'a changed label key',
    make: async (of) =>
      put(of.world, 'labels', of.record, await labelAt(of, ROTATED), () => new Uint8Array(32)),
    height: () => ROTATED,
    status: 'tampered',
    rule: 'label-key',
  },
  {
    what: 'a lost label key',
    make: async (of) => put(of.world, 'labels', of.record, await labelAt(of, 0), nothing),
    height: () => 0,
    status: 'missing',
    rule: 'label-row',
  },
  {
    what: 'a changed package',
    make: async (of) =>
      put(of.world, 'packages', of.record, await packageAt(of, 'reader/hospital-a'), (text) =>
        text.replace(/"sealed":"(.)/, (_, c: string) => `"sealed":"${c === '_' ? '-' : '_'}`),
      ),
    height: () => ROTATED,
    status: 'tampered',
    rule: 'package-hash',
  },
  {
    what: 'a package that is no JSON any more',
    make: async (of) =>
      put(of.world, 'packages', of.record, await packageAt(of, 'reader/hospital-b'), () => 'x'),
    height: () => ROTATED,
    status: 'tampered',
    rule: 'package-hash',
  },
  {
    what: "a reader's lost package",
    make: async (of) =>
      put(of.world, 'packages', of.record, await packageAt(of, 'reader/hospital-b'), nothing),
    height: () => ROTATED,
    status: 'missing',
    rule: 'package-row',
  },
  {
    what: 'a lost history package',
    make: async (of) => put(of.world, 'packages', of.record, await packageAt(of, 'history/'), nothing),
    height: () => ROTATED,
    status: 'missing',
    rule: 'package-row',
  },
  {
    what: 'a package too many',
    make: async (of) => {
      const key = await packageAt(of, 'reader/hospital-b')
      const packages = of.world.platform.table('packages')
      const item = parsePackage((await packages.get(of.record, key))?.value ?? utf8(''))
      if (item?.kind !== 'reader') throw new Error('a reader package is expected')
      const other = { ...item, reader: 'hospital-c' }
      const root = await rootAt(of)
      await packages.insert(of.record, packageRowKey(root, other), utf8(JSON.stringify(other)))
    },
    height: () => ROTATED,
    status: 'tampered',
    rule: 'packages-root',
  },
  {
    what: 'a package of an erased record that is there again',
    make: async (of) => {
      const row = of.before.rows.find((item) => item.table === 'packages' && item.partition === of.ended)
      await of.world.platform.table('packages').insert(of.ended, row?.key ?? '', row?.value ?? utf8(''))
    },
    height: () => 1,
    status: 'tampered',
    rule: 'erased-package',
    chain: 'ended',
  },
]

async function labelAt(of: Audited, height: number): Promise<string> {
  const block = await blockAt(of, of.record, height)
  if (block.type === 'genesis') return block.body.labelKeyHash
  return block.type === 'control' ? (block.body.epoch?.labelKeyHash ?? '') : ''
}

async function rootAt(of: Audited) {
  const block = await blockAt(of, of.record, ROTATED)
  if (block.type !== 'control' || block.body.packages === null) throw new Error('a rotation is expected')
  return block.body.packages
}

async function packageAt(of: Audited, name: string): Promise<string> {
  const root = await rootAt(of)
  const rows = await of.world.platform.table('packages').range(of.record)
  return rows.find((row) => row.key.startsWith(root) && row.key.includes(name))?.key ?? ''
}
