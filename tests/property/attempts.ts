// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import type { Append } from '#core/api/append.ts'
import { parseJws } from '#core/block/jws.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import type { Block } from '#core/block/block.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import type { Link } from '#core/chain/state.ts'
import type { Signer } from '#core/ports/keys.ts'
import { after, control, erase, seal, type Rules } from '#tests/core/chain/small-chain.ts'
import { caught, mayAppend, type Story } from './world.ts'

/** What must be refused, and by what: error codes and rules, of which one is enough. */
export interface Attempt {
  readonly append: Append
  readonly by: readonly string[]
}

/** Makes something that must be refused; null where the story gives no occasion. */
export type Attempts = Readonly<Record<string, (story: Story, pick: number) => Promise<Attempt | null>>>

const parts = (block: string): Append => ({ block, row: null, packages: [], labelKey: null, object: null })

/** A record block that hospital-a could append now, with its parts. */
const filing = (story: Story) =>
  caught(story, 'hospital-a', (connection) =>
    connection.append(story.record, [{ header: utf8('{}'), content: utf8('x'), compartment: 'general' }]),
  )

/** The same parts under a block that was changed and signed again. */
async function resigned(
  story: Story,
  made: Append | null,
  change: (block: Block) => object,
  signer?: Signer,
): Promise<Append | null> {
  if (!made) return null
  const { block } = parseBlock(made.block)
  const author = signer ?? story.world.institution('hospital-a').instance
  const signed = await signBlock({ ...block, ...change(block) }, author)
  return { ...made, block: signed.compact }
}

async function filed(
  story: Story,
  change: (block: Block) => object,
  by: readonly string[],
  signer?: Signer,
): Promise<Attempt | null> {
  const append = await resigned(story, await filing(story), change, signer)
  return append && { append, by }
}

/** Longer than any story waits, so that no attempt fails for an approval that expired. */
const APPROVAL_MS = 400 * 86_400_000

/** The head of the record, and what blocks on it are made with. */
async function headOf(story: Story): Promise<{ parent: Link; rules: Rules; at: { time: never } }> {
  const { link } = await story.world.connect('hospital-a').replica(story.record)
  const { random, home } = story.world
  const rules = { history: await home.registry.refresh(), random, approvalMs: APPROVAL_MS }
  const time = toTimestamp(Math.max(story.world.clock.now, timestampMs(link.opened.block.time)))
  return { parent: link, rules, at: { time: time as never } }
}

/** By whom: a stranger, a reader that was removed, a grant that ended, a key that was revoked. */
const AUTHORS: Attempts = {
  'a key that is no instance': (story) =>
    filed(story, () => ({}), ['author'], story.world.institution('hospital-a').root),
  'an institution without a grant in force': async (story, pick) => {
    const name = pick % 2 === 0 ? 'hospital-b' : 'hospital-c'
    const made = await filing(story)
    const { block } = parseBlock(made?.block ?? '')
    const compartment = block.entries?.compartments[0]
    if (!compartment || mayAppend(story, name, compartment)) return null
    const append = await resigned(story, made, () => ({}), story.world.institution(name).instance)
    return append && { append, by: ['grant', 'right', 'compartment'] }
  },
  'a key that is revoked at the registry head it names': (story) =>
    story.spare.state === 'revoked' ? filed(story, () => ({}), ['author'], story.spare.signer) : noOccasion(),
  'a revoked key that names the head before, in the past': async (story) => {
    if (story.spare.state !== 'revoked') return null
    const history = await story.world.home.registry.refresh()
    const before = history.height() - 1
    const id = await registryId(story, before)
    const change = (block: Block) => ({ registry: { height: before, id }, time: block.time })
    return filed(story, change, ['registry-height', 'BLOCK_REFUSED', 'REGISTRY_STALE'], story.spare.signer)
  },
  'a key that nobody knows': (story) =>
    story.spare.state === 'unknown'
      ? filed(story, () => ({}), ['SIGNATURE_INVALID'], story.spare.signer)
      : noOccasion(),
}

async function noOccasion(): Promise<null> {
  return null
}

async function registryId(story: Story, height: number): Promise<string> {
  const row = (await story.store.rows('registry', 'blocks'))[height]
  const compact = fromUtf8(row?.value ?? new Uint8Array(0))
  return parseJws(compact, 'ampere-registry+jws').id
}

/** What: another place, time, state or epoch than the right one. */
const BLOCKS: Attempts = {
  'another epoch': (story) =>
    filed(story, ({ entries }) => ({ entries: entries && { ...entries, epoch: entries.epoch + 1 } }), [
      'epoch',
    ]),
  'another state': (story) =>
    filed(story, () => ({ state: toBase64url(story.world.random(32)) }), ['state-hash']),
  'an hour ahead': (story) =>
    filed(story, ({ time }) => ({ time: toTimestamp(timestampMs(time) + 3_600_000) }), ['CLOCK_SKEW']),
  'a height that is taken': (story) =>
    filed(story, ({ height }) => ({ height: height - 1 }), ['HEAD_CONFLICT']),
  'a height that is left out': (story) =>
    filed(story, ({ height }) => ({ height: height + 1 }), ['HEAD_CONFLICT']),
  'another parent': (story) => filed(story, () => ({ prev: toBase64url(story.world.random(32)) }), ['prev']),
  'a chain that does not exist': (story) =>
    filed(story, () => ({ chain: toBase64url(story.world.random(32)) }), ['NOT_FOUND']),
  'a signature of something else': async (story) => {
    const [one, two] = [await filing(story), await filing(story)]
    if (!one || !two) return null
    const cut = (text: string) => text.lastIndexOf('.')
    const block = one.block.slice(0, cut(one.block)) + two.block.slice(cut(two.block))
    return { append: { ...one, block }, by: ['SIGNATURE_INVALID'] }
  },
}

/** Parts that are not those that the block names. */
const PARTS: Attempts = {
  'without the object': async (story) => refusedParts(await filing(story), () => ({ object: null })),
  'without the key row': async (story) => refusedParts(await filing(story), () => ({ row: null })),
  'with the parts of another block': async (story) => {
    const other = await filing(story)
    return refusedParts(await filing(story), () => ({
      row: other?.row ?? null,
      object: other?.object ?? null,
    }))
  },
  'with one byte changed': async (story, pick) =>
    refusedParts(await filing(story), ({ object }) => {
      const changed = new Uint8Array(object ?? [])
      const at = changed.length - 1 - pick
      changed[at] = (changed[at] ?? 0) ^ 1
      return { object: changed }
    }),
  'with a label key that no block brings': async (story) =>
    refusedParts(await filing(story), () => ({ labelKey: toBase64url(story.world.random(32)) })),
  'a rotation without one of its packages': async (story, pick) =>
    refusedParts(await rotation(story), ({ packages }) => ({
      packages: packages.toSpliced(pick % packages.length, 1),
    })),
  'a rotation with another label key': async (story) =>
    refusedParts(await rotation(story), () => ({ labelKey: toBase64url(story.world.random(32)) })),
  'a rotation with a package that was changed': async (story, pick) =>
    refusedParts(await rotation(story), ({ packages }) => ({
      packages: packages.map((item, i) =>
        i === pick % packages.length ? { ...item, sealed: flipped(item.sealed) } : item,
      ),
    })),
}

const rotation = (story: Story) =>
  caught(story, 'hospital-a', (connection) => rotateChain(connection, story.record))

function refusedParts(made: Append | null, change: (made: Append) => Partial<Append>): Attempt | null {
  return made && { append: { ...made, ...change(made) }, by: ['BLOCK_REFUSED'] }
}

function flipped(sealed: string): string {
  const bytes = fromBase64url(sealed)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return toBase64url(bytes)
}

/** Steps that need approval, time or another state. */
const STEPS: Attempts = {
  'approvals of an earlier step': async (story) => {
    const { parent, rules, at } = await headOf(story)
    const old = story.accepted
      .map(({ block }) => parseBlock(block))
      .findLast(({ block }) => isApproved(block))
    if (old?.block.type !== 'control') return null
    const { a } = authors(story)
    const draft = {
      ...after(rules, parent),
      ...at,
      type: 'control' as const,
      entries: null,
      body: old.block.body,
    }
    // Of a device that is no controller any more nobody knows the key.
    return { append: parts(await seal(rules, parent, draft, a)), by: ['approval-seq', 'SIGNATURE_INVALID'] }
  },
  'approvals of one of two that must agree': async (story) => {
    // An erasure names what is below it.
    if (story.model.entries.length === 0) return null
    const { parent, rules, at } = await headOf(story)
    const { a } = authors(story)
    const draft = await erase(rules, parent, [a])
    const by = [story.model.hold ? 'hold' : 'threshold']
    return { append: parts(await seal(rules, parent, { ...draft, ...at }, a)), by }
  },
  'an erasure before its time': async (story, pick) => {
    const step = story.model.pending.find(({ dueMs }) => dueMs > story.world.clock.now + 120_000)
    if (!step) return null
    return settled(story, step.height, 'complete', [story.model.hold ? 'hold' : 'erase-early'], pick)
  },
  'an erasure that was not asked for': (story, pick) =>
    story.model.pending[0]
      ? settled(story, story.model.pending[0].height, 'wrong', ['erase-action', 'hold'], pick)
      : noOccasion(),
  'an erasure during a hold': async (story) => {
    if (!story.model.hold) return null
    const { parent, rules, at } = await headOf(story)
    const { a, second } = authors(story)
    const draft = await erase(rules, parent, [a, second])
    return { append: parts(await seal(rules, parent, { ...draft, ...at }, a)), by: ['hold'] }
  },
  'a reader removed without new keys': async (story) => {
    const reader = [...story.model.grants].find(
      ([name, grant]) => name !== 'hospital-a' && grant.rights.includes('read'),
    )
    if (!reader) return null
    const { parent, rules, at } = await headOf(story)
    const { a } = authors(story)
    const remove = [story.world.institution(reader[0]).id]
    const draft = await control(rules, parent, [a], { grants: { put: [], remove } })
    return { append: parts(await seal(rules, parent, { ...draft, ...at }, a)), by: ['epoch-missing'] }
  },
  'a change that a stranger approves': async (story) => {
    const made = await caught(story, 'hospital-a', (c) =>
      changeChain(c, story.record, { hold: !story.model.hold }),
    )
    const { parent, rules, at } = await headOf(story)
    const { b } = authors(story)
    const draft = await control(rules, parent, [b], { hold: !story.model.hold })
    return made && { append: parts(await seal(rules, parent, { ...draft, ...at }, b)), by: ['threshold'] }
  },
}

async function settled(
  story: Story,
  height: number,
  act: 'complete' | 'wrong',
  by: readonly string[],
  pick: number,
): Promise<Attempt | null> {
  const { parent, rules, at } = await headOf(story)
  const requested = story.accepted
    .map(({ block }) => parseBlock(block))
    .find((found) => found.block.height === height && found.chain === story.record)
  if (requested?.block.type !== 'erase') return null
  const { approvals: _, ...body } = requested.block.body
  const ground = act === 'wrong' ? ('legal-duty' as const) : body.ground
  const draft = await erase(rules, parent, [], { ...body, ground, act: 'complete', request: height })
  const { a, second } = authors(story)
  return { append: parts(await seal(rules, parent, { ...draft, ...at }, pick % 2 === 0 ? a : second)), by }
}

function isApproved(block: Block): boolean {
  return block.type === 'control' && block.body.approvals.length > 0
}

function authors(story: Story) {
  const { instance: a, second } = story.world.institution('hospital-a')
  return { a, second, b: story.world.institution('hospital-b').instance }
}

export const ATTEMPTS: Attempts = { ...AUTHORS, ...BLOCKS, ...PARTS, ...STEPS }
