// SPDX-License-Identifier: Apache-2.0
import { canonicalize, type Json } from '#core/bytes/canonical-json.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseJws } from '#core/block/jws.ts'
import type { Signer } from '#core/ports/keys.ts'
import { placesIn, replaced, valueAt, type Path } from '#tests/core/places.ts'
import {
  control,
  digest,
  erase,
  genesis,
  later,
  newEpoch,
  op,
  record,
  recover,
  rehome,
  seal,
} from '../small-chain.ts'
import { next, recoverable, type Attempt, type Kit } from './kit.ts'
import { on } from './place-cases.ts'
import { recovered, requested } from './recover-cases.ts'

/** A block with as many members as its type can have, by the author who may write it. */
export interface Specimen extends Attempt {
  readonly author: Signer
  /** Places that another value may stand in as far as the rules can see; who signs vouches for them. */
  readonly free: readonly string[]
}

const specimen = async (attempt: Promise<Attempt>, author: Signer, free: readonly string[]) => ({
  ...(await attempt),
  author,
  free,
})

const withDevice = (kit: Kit) => ({ threshold: 1, members: [kit.member('hospital-a'), kit.deviceMember] })

/** One block of each type and act, on a kit. */
export const SPECIMENS: Readonly<Record<string, (kit: Kit) => Promise<Specimen>>> = {
  // A chain is named by its genesis, so another time or op makes another chain.
  genesis: async (kit) => {
    const given = { controllers: withDevice(kit), purpose: 'access' as const, of: kit.head.opened.chain }
    const draft = await genesis(kit, [], [kit.a, kit.device], given)
    const compact = await seal(kit, null, draft, kit.a)
    return { parent: null, compact, author: kit.a, free: ['op', 'time'] }
  },
  // What is sealed and stored beside a block is compared with it by its home and by every reader.
  record: (kit) => {
    const batch = { id: op(kit.random), index: 1, last: false }
    const parts = ['bytes', 'count', 'keys', 'root', 'batch', 'batch.id', 'batch.index', 'batch.last']
    const free = ['op', 'time', ...parts.map((name) => `entries.${name}`)]
    return specimen(on(kit, record(kit, kit.head, { batch })), kit.a, free)
  },
  change: async (kit) => {
    const limits = { blocksPerDay: 5, bytesPerDay: 6 }
    const put = kit.grantOf('hospital-a', { until: later(kit.head.opened.block.time, 90_000), limits })
    const given = {
      grants: { put: [put], remove: [kit.world.institution('hospital-b').id] },
      controllers: withDevice(kit),
      epoch: newEpoch(kit, kit.head.state),
      packages: digest(kit.random),
      hold: true,
      access: digest(kit.random) as never,
    }
    return specimen(on(kit, await control(kit, kit.head, [kit.a, kit.device], given)), kit.a, ['op', 'time'])
  },
  // Its one author answers for the packages, which its home compares, and for the cut.
  rotate: async (kit) => {
    const remove = [kit.world.institution('hospital-c').id]
    const epoch = newEpoch(kit, kit.head.state)
    const given = { act: 'rotate' as const, grants: { put: [], remove }, epoch, packages: digest(kit.random) }
    const free = ['body.epoch.cut', 'body.packages', 'op', 'time']
    return specimen(on(kit, await control(kit, kit.head, [], given)), kit.a, free)
  },
  request: async (kit) =>
    specimen(on(kit, await erase(kit, kit.head, [kit.a, kit.a2])), kit.a, ['op', 'time']),
  // Who may complete it may cancel it instead.
  complete: (kit) => settlement(kit, 'complete', ['body.act']),
  cancel: (kit) => settlement(kit, 'cancel', []),
  list: async (kit) => {
    const members = [kit.deviceMember, kit.sheetMember, kit.member('hospital-a')]
    const given = { recovery: { threshold: 2, members }, packages: digest(kit.random) }
    const approvers = [kit.a, kit.sheet, kit.device]
    return specimen(on(kit, await control(kit, kit.head, approvers, given)), kit.a, ['op', 'time'])
  },
  ask: async (kit) => {
    const parent = await recoverable(kit)
    const recovery = { threshold: 1, members: [kit.member('hospital-a'), kit.sheetMember] }
    const draft = await recover(kit, parent, [kit.sheet, kit.a, kit.newDevice], {
      controllers: recovered(kit),
      recovery,
    })
    return specimen(on(kit, draft, kit.sheet, parent), kit.sheet, ['op', 'time'])
  },
  // Its one author answers for the packages, which its home compares, and for the keys and the cut.
  recover: async (kit) => {
    const { parent, body } = await requested(kit)
    const keys = { epoch: newEpoch(kit, parent.state), packages: digest(kit.random) }
    const draft = await recover(kit, parent, [], { ...body, act: 'complete', ...keys })
    const block = { ...draft, time: later(body.notBefore, 0) }
    return specimen(on(kit, block, kit.newDevice, parent), kit.newDevice, [
      'body.epoch.cut',
      'body.packages',
      'op',
      'time',
    ])
  },
  keep: async (kit) => {
    const { parent, body } = await requested(kit)
    const draft = await recover(kit, parent, [], { ...body, act: 'cancel' })
    return specimen(on(kit, draft, kit.a, parent), kit.a, ['op', 'time'])
  },
  rehome: async (kit) => specimen(on(kit, await rehome(kit, kit.head, [kit.a])), kit.a, ['op', 'time']),
}

async function settlement(kit: Kit, act: 'complete' | 'cancel', free: readonly string[]): Promise<Specimen> {
  const request = await erase(kit, kit.head, [kit.a, kit.a2])
  const parent = await next(kit, kit.head, kit.a, request)
  const body = { ...request.body, act, request: parent.opened.block.height }
  const draft = await erase(kit, parent, [], body)
  const time = later(request.body.notBefore, act === 'complete' ? 0 : -1000)
  return specimen(on(kit, { ...draft, time }, kit.a, parent), kit.a, [...free, 'op', 'time'])
}

/** Every value that a word of the format may have beside the one that it has. */
const WORDS: readonly (readonly string[])[] = [
  ['genesis', 'record', 'control', 'erase', 'rehome', 'recover', 'emergency'],
  ['record', 'access'],
  ['change', 'rotate'],
  ['request', 'complete', 'cancel'],
  ['entries', 'record'],
  ['patient-request', 'misfiled', 'legal-duty', 'consent-withdrawn'],
  ['append', 'hold', 'read'],
  ['institution', 'device'],
]

/** What may stand where null stands, by the name of the member. */
function insteadOfNull(kit: Kit, name: string): Json[] {
  const some: Readonly<Record<string, Json>> = {
    of: digest(kit.random),
    request: 2,
    hold: false,
    access: digest(kit.random),
    packages: digest(kit.random),
    controllers: { threshold: 1, members: [kit.member('hospital-b')] },
    recovery: { threshold: 1, members: [kit.member('hospital-b')] },
    epoch: newEpoch(kit, kit.head.state),
    entries: record(kit, kit.head).entries,
    batch: { id: op(kit.random), index: 0, last: true },
    until: toTimestamp(Date.now()),
    limits: { blocksPerDay: 1, bytesPerDay: 1 },
  }
  return [some[name] ?? 'something']
}

/** Other values for a place: of another shape, of the same, and as near as possible. */
function others(kit: Kit, value: Json, name: string): Json[] {
  if (value === null) return insteadOfNull(kit, name)
  if (typeof value === 'number') return value > 0 ? [value + 1, value - 1, null] : [value + 1, null]
  if (typeof value === 'boolean') return [!value, null]
  if (typeof value === 'string') return otherTexts(kit, value)
  const list = value as readonly Json[]
  if (!Array.isArray(value)) return [null, { ...(value as object), extra: 1 }]
  // In which order controllers approved says nothing.
  const order = name === 'approvals' ? [] : [list.toReversed()]
  return [null, [], list.slice(1), [...list, ...list.slice(0, 1)], ...order]
}

function otherTexts(kit: Kit, value: string): Json[] {
  const words = WORDS.filter((list) => list.includes(value)).flat()
  const time = /^\d{4}-.*Z$/.test(value)
    ? [1, -1, 40 * 86_400_000].map((ms) => later(value as never, ms))
    : []
  const bytes = /^[A-Za-z0-9_-]{22,}$/.test(value) ? [toBase64url(kit.random((value.length * 3) >> 2))] : []
  return [null, `${value.startsWith('1') ? '2' : '1'}${value.slice(1)}`, ...words, ...time, ...bytes].filter(
    (other) => other !== value,
  )
}

/** Every payload that differs from a specimen's at one place: by another value there, or without it. */
export function mutationsOf(
  kit: Kit,
  { compact }: Specimen,
): readonly (readonly [place: string, payload: Json])[] {
  const { payload } = parseJws(compact, 'ampere-block+jws')
  const found: (readonly [string, Json])[] = []
  const add = (path: Path, put: (old: Json) => Json | undefined) => {
    const mutated = replaced(payload, path, put)
    if (canonicalize(mutated) !== canonicalize(payload)) found.push([path.join('.'), mutated])
  }
  for (const path of placesIn(payload)) {
    for (const value of others(kit, valueAt(payload, path), String(path.at(-1)))) add(path, () => value)
    add(path, () => undefined)
  }
  return found
}
