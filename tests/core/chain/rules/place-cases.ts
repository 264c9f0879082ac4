// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { Block, Controller, GenesisBlock } from '#core/block/block.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import type { ControlState, Link } from '#core/chain/state.ts'
import type { Signer } from '#core/ports/keys.ts'
import { PLAIN_ENDS, spoiledApproval, type Attempt, type Kit } from './kit.ts'
import { control, digest, erase, genesis, later, newEpoch, record, seal } from '../small-chain.ts'

/** A rule, in what way it is broken, and a block that breaks it and, as far as it can, nothing else. */
export type Case = readonly [rule: string, how: string, attempt: (kit: Kit) => Promise<Attempt>]

/** A block on the chain's head, or on another parent, sealed by the controlling instance or by another author. */
export async function on(kit: Kit, block: Block, author = kit.a, parent = kit.head): Promise<Attempt> {
  return { parent, compact: await seal(kit, parent, block, author) }
}

/** The head with another state. What led there does not matter to a rule, which sees no more than the state. */
export function inState(kit: Kit, change: Partial<ControlState>): Link {
  return { ...kit.head, state: { ...kit.head.state, ...change } }
}

const entry = (kit: Kit, change: Partial<Block> = {}) =>
  on(kit, { ...record(kit, kit.head), ...change } as Block)
const root = (kit: Kit): Signer => kit.world.institution('hospital-a').root

/** A record block whose payload was changed after it was signed. */
async function rewritten(kit: Kit, change: (text: string) => string): Promise<Attempt> {
  const { compact } = await entry(kit)
  const [header, payload = '', signature] = compact.split('.')
  const text = change(fromUtf8(fromBase64url(payload)))
  return { parent: kit.head, compact: `${header}.${toBase64url(utf8(text))}.${signature}` }
}

/** Rules about a block's place in its chain and registry. */
const PLACE: readonly Case[] = [
  ['malformed', 'a member too many', (kit) => rewritten(kit, (text) => text.replace(/}$/, ',"w":1}'))],
  [
    'malformed',
    'an array for an object',
    (kit) => rewritten(kit, (text) => text.replace('"body":{}', '"body":[]')),
  ],
  [
    'signature',
    'not signed as it is',
    (kit) => rewritten(kit, (text) => text.replace('"height":3', '"height":4')),
  ],
  [
    'registry-head',
    'a registry head that does not exist',
    (kit) => entry(kit, { registry: { height: 0, id: digest(kit.random) } }),
  ],
  ['height', 'a height that does not follow', (kit) => entry(kit, { height: 7 })],
  [
    'height',
    'a second genesis',
    async (kit) => {
      const { compact } = await begun(kit, {})
      return { parent: kit.head, compact, chain: parseBlock(compact).chain }
    },
  ],
  ['first-block', 'no genesis', async ({ head }) => ({ ...head.opened, parent: null })],
  ['chain', 'another chain', (kit) => entry(kit, { chain: digest(kit.random) as never })],
  ['prev', 'another parent', (kit) => entry(kit, { prev: digest(kit.random) as never })],
  ['time', 'a time before its parent', (kit) => entry(kit, { time: later(kit.head.opened.block.time, -1) })],
  [
    'registry-height',
    "a registry head before its parent's",
    (kit) => entry(kit, { registry: { height: 0, id: kit.history.pinned } }),
  ],
  [
    'ended',
    'anything after an erased record',
    (kit) => {
      const ended = inState(kit, { ended: true })
      return on(kit, record(kit, ended), kit.a, ended)
    },
  ],
  [
    'state-hash',
    'another state than the rules give',
    async (kit) => {
      const signed = await signBlock({ ...record(kit, kit.head), state: digest(kit.random) }, kit.a)
      return { parent: kit.head, compact: signed.compact }
    },
  ],
]

/** A genesis that hospital-a's instance approves. */
function opening(kit: Kit, given: Parameters<typeof genesis>[3] = {}, approvers = [kit.a]) {
  return genesis(kit, [kit.member('hospital-a')], approvers, given)
}

async function begun(
  kit: Kit,
  given: Partial<GenesisBlock['body']>,
  author = kit.a,
  approvers = [kit.a],
): Promise<Attempt> {
  return { parent: null, compact: await seal(kit, null, await opening(kit, given, approvers), author) }
}

const led = (kit: Kit, members: readonly Controller[], approvers = [kit.a], threshold = 1) =>
  begun(kit, { controllers: { threshold, members: [...members] } }, kit.a, approvers)

/** Rules of a genesis, and of controllers wherever they are set. */
const GENESIS: readonly Case[] = [
  ['author', 'a genesis by a key that is no instance', (kit) => begun(kit, {}, root(kit))],
  ['author', 'a genesis by an institution that was removed', (kit) => begun(kit, {}, kit.gone)],
  ['capability', 'a genesis by an instance that may not create', (kit) => begun(kit, {}, kit.plain)],
  ['registry', 'a genesis for another registry', (kit) => begun(kit, { registry: digest(kit.random) })],
  ['purpose', 'an access chain of nothing', (kit) => begun(kit, { purpose: 'access' })],
  ['purpose', 'a record chain of another', (kit) => begun(kit, { of: kit.head.opened.chain })],
  ['controller', 'an institution that was removed', (kit) => led(kit, [kit.member('hospital-c')])],
  [
    'controller',
    'one controller twice',
    (kit) => led(kit, [kit.member('hospital-a'), kit.member('hospital-a')]),
  ],
  [
    'device-key',
    'a device under the name of another key',
    (kit) => led(kit, [kit.member('hospital-a'), { ...kit.deviceMember, kid: kit.b.kid }]),
  ],
  [
    'device-key',
    'a device under the name of the key that signs',
    (kit) => led(kit, [kit.member('hospital-a'), { ...kit.deviceMember, kid: kit.a.kid }]),
  ],
  ['threshold', 'more approvals than controllers', (kit) => led(kit, [kit.member('hospital-a')], [kit.a], 2)],
  ['threshold', 'a controller that did not approve', (kit) => led(kit, [kit.member('hospital-b')])],
  [
    'device-possession',
    'a genesis with a device that did not approve itself',
    (kit) => led(kit, [kit.member('hospital-a'), kit.deviceMember]),
  ],
  [
    'device-identify',
    'a genesis with a device for which nobody vouches',
    (kit) => led(kit, [kit.deviceMember], [kit.device]),
  ],
]

/** A hold with an approval that was spoiled before it was signed. */
async function approved(kit: Kit, spoil: Parameters<typeof spoiledApproval>[4]): Promise<Attempt> {
  const { body, ...rest } = await control(kit, kit.head, [], { hold: true })
  const approval = await spoiledApproval(kit.head, 'control', body, kit.a, spoil)
  return on(kit, { ...rest, body: { ...body, approvals: [approval] } })
}

const held = async (kit: Kit, approvers: readonly Signer[]) =>
  on(kit, await control(kit, kit.head, approvers, { hold: true }))

/** Rules of approvals, the same for every step that needs them. */
const APPROVALS: readonly Case[] = [
  [
    'approval-chain',
    'an approval of another chain',
    (kit) => approved(kit, { chain: digest(kit.random) as never }),
  ],
  ['approval-chain', 'an approval of a genesis', (kit) => approved(kit, { chain: null })],
  ['approval-seq', 'an approval of another state', (kit) => approved(kit, { seq: kit.head.state.seq + 1 })],
  [
    'approval-action',
    'an approval of another action',
    (kit) => approved(kit, { action: digest(kit.random) }),
  ],
  [
    'approval-expired',
    'an approval that expired',
    (kit) => approved(kit, { expires: kit.head.opened.block.time }),
  ],
  ['approval-twice', 'one key that approves twice', (kit) => held(kit, [kit.a, kit.a])],
  ['approval-twice', 'a key of no controller that approves twice', (kit) => held(kit, [kit.a, kit.b, kit.b])],
  ['threshold', 'no approval', (kit) => held(kit, [])],
  ['threshold', 'an approval by an instance that may not control', (kit) => held(kit, [kit.plain])],
  ['threshold', 'an approval by no controller', (kit) => held(kit, [kit.b])],
  [
    'threshold',
    'an erasure approved by one instance of an institution',
    async (kit) => on(kit, await erase(kit, kit.head, [kit.a])),
  ],
]

async function rotated(kit: Kit, author: Signer): Promise<Attempt> {
  const given = { act: 'rotate' as const, epoch: newEpoch(kit, kit.head.state), packages: digest(kit.random) }
  return on(kit, await control(kit, kit.head, [], given), author)
}

function granted(
  kit: Kit,
  given: Parameters<Kit['grantOf']>[1] | null,
  state: Parameters<typeof inState>[1] = {},
): Promise<Attempt> {
  const parent = inState(kit, { ...state, grants: given ? [kit.grantOf('hospital-a', given)] : [] })
  return on(kit, record(kit, parent), kit.a, parent)
}

/** Rules of who may write what. */
const WRITERS: readonly Case[] = [
  ['author', 'a record by a key that is no instance', (kit) => on(kit, record(kit, kit.head), root(kit))],
  [
    'author',
    'a record by an instance a moment after it expired',
    (kit) => on(kit, { ...record(kit, kit.head), time: later(PLAIN_ENDS, 1) }, kit.plain),
  ],
  [
    'author',
    'a record by an institution that was removed',
    (kit) => on(kit, record(kit, kit.head), kit.gone),
  ],
  [
    'author',
    'a change by a key that is no instance',
    async (kit) => on(kit, await control(kit, kit.head, [kit.a], { hold: true }), root(kit)),
  ],
  ['author', 'a rotation by no controller', (kit) => rotated(kit, kit.b)],
  ['author', 'a rotation by an instance that may not control', (kit) => rotated(kit, kit.plain)],
  [
    'author',
    'an erasure by no controller',
    async (kit) => on(kit, await erase(kit, kit.head, [kit.a, kit.a2]), kit.b),
  ],
  ['grant', 'a writer without a grant', (kit) => granted(kit, null)],
  [
    'grant',
    'a writer whose grant ends now',
    (kit) => granted(kit, { until: later(kit.head.opened.block.time, 1000) }),
  ],
  ['right', 'a reader that writes', (kit) => granted(kit, { rights: ['read'] })],
  ['right', 'a mirror that writes', (kit) => granted(kit, { rights: ['hold'] })],
  [
    'right',
    'a mirror that enters a reading in an access chain',
    (kit) => granted(kit, { rights: ['hold'] }, { purpose: 'access' }),
  ],
  [
    'compartment',
    'a writer beyond its compartments',
    (kit) => granted(kit, { compartments: kit.head.state.compartments.slice(1).map(({ id }) => id) }),
  ],
  [
    'compartment',
    'entries in a compartment that the chain does not have',
    (kit) => on(kit, record(kit, kit.head, { compartments: [toBase64url(kit.random(16))] })),
  ],
  ['epoch', 'entries of another epoch', (kit) => on(kit, record(kit, kit.head, { epoch: 2 }))],
]

export const PLACE_CASES: readonly Case[] = [...PLACE, ...GENESIS, ...APPROVALS, ...WRITERS]
