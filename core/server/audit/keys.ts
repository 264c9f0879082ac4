// SPDX-License-Identifier: Apache-2.0
import { keysIn } from '../../block/block.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import { packageKey, packagesRoot } from '../../block/packages.ts'
import { readersGaining, readersOf, stateBytes, type ControlState, type Link } from '../../chain/state.ts'
import { digestOf } from '../../crypto/hash.ts'
import { partNames } from '../store/attempt.ts'
import { packageRowKey, parsePackage, rangeUnder } from '../store/rows.ts'
import type { Erasures } from './erasures.ts'
import type { AuditorPorts } from './needs.ts'
import type { Notes } from './report.ts'

/** A block, the state before it, and what of its keys is checked. */
export interface KeysPlace {
  readonly chain: ChainId
  readonly before: ControlState | null
  readonly link: Link
  readonly erasures: Erasures
}

/** Checks the control state that a block brings. @returns whether one is stored */
export async function checkState(
  ports: AuditorPorts,
  { chain, link }: KeysPlace,
  notes: Notes,
): Promise<boolean> {
  const { height, state } = link.opened.block
  const row = await ports.tables.states.get(chain, state)
  if (!row) notes.find(height, 'missing', 'state-row', 'the control state is not stored')
  else if (digestOf(row.value) !== digestOf(stateBytes(link.state)))
    notes.find(height, 'tampered', 'state-row', 'the stored control state is not the one that the rules give')
  return row !== null
}

/** Checks the label key that a block brings. @returns whether one is stored */
export async function checkLabel(
  ports: AuditorPorts,
  { chain, link }: KeysPlace,
  notes: Notes,
): Promise<boolean> {
  const { block } = link.opened
  const hash = partNames(block).label
  if (hash === null) return false
  const row = await ports.tables.labels.get(chain, hash)
  if (!row) notes.find(block.height, 'missing', 'label-row', 'the label key is not stored')
  else if (digestOf(row.value) !== hash)
    notes.find(
      block.height,
      'tampered',
      'label-key',
      'the stored label key is not the one that the block names',
    )
  return row !== null
}

/** Checks the packages that a block brings. @returns the row keys that are stored under its root */
export async function checkPackages(
  ports: AuditorPorts,
  at: KeysPlace,
  notes: Notes,
): Promise<readonly string[]> {
  const { height } = at.link.opened.block
  const root = partNames(at.link.opened.block).packages
  if (root === null) return []
  const rows = await ports.tables.packages.range(at.chain, rangeUnder(root))
  const erased = at.erasures.orders.filter((order) => order.scope === 'record')
  if (erased.length > 0) {
    if (rows.length > 0 && erased.some((order) => order.isCarriedOut))
      notes.find(
        height,
        'tampered',
        'erased-package',
        `stored again: ${rows.map(({ key }) => nameIn(key)).join(', ')}`,
      )
    return rows.map((row) => row.key)
  }
  const items = rows.map((row) => ({ key: row.key, item: parsePackage(row.value) }))
  const wrong = items.filter(({ key, item }) => item === null || packageRowKey(root, item) !== key)
  for (const { key } of wrong)
    notes.find(
      height,
      'tampered',
      'package-hash',
      `the stored package is not what its name says: ${nameIn(key)}`,
    )
  const good = items.flatMap(({ item }) => item ?? [])
  if (wrong.length === 0 && (good.length === 0 || packagesRoot(good) !== root))
    findAbsent(at, root, good.map(packageKey), notes)
  return rows.map((row) => row.key)
}

/** The packages as a whole are not those that the block names: which are absent, as far as the rules say who gets one. */
function findAbsent(at: KeysPlace, root: Digest, there: readonly string[], notes: Notes): void {
  const { height } = at.link.opened.block
  const absent = expectedNames(at).filter((name) => !there.includes(name))
  if (absent.length === 0)
    notes.find(
      height,
      'tampered',
      'packages-root',
      `the stored packages are not those of ${root.slice(0, 8)}`,
    )
  for (const name of absent)
    notes.find(height, 'missing', 'package-row', `the package is not stored: ${name}`)
}

function expectedNames({ before, link }: KeysPlace): readonly string[] {
  const { block } = link.opened
  const keys = keysIn(block)
  if (!keys || !before || (block.type === 'recover' && block.body.act !== 'complete')) return []
  const { number } = link.state.epoch
  const isFirst = block.height === 1
  const readers = isFirst || keys.epoch !== null ? readersOf(link.state) : readersGaining(before, link.state)
  const names = readers.map((reader) => packageKey({ kind: 'reader', epoch: number, reader }))
  if (keys.epoch === null || keys.epoch.cut) return names
  const histories = link.state.compartments.map(({ id }) =>
    packageKey({ kind: 'history', epoch: number, compartment: id }),
  )
  return [...names, ...histories]
}

/** `<epoch>/<kind>/<for whom>` in a row key. */
function nameIn(key: string): string {
  return key.split('/').slice(1, 4).join('/')
}
