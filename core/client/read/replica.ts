// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest, InstitutionId, Kid } from '../../bytes/ids.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import type { HeadStatement } from '../../api/head.ts'
import { keysIn, type EpochKey, type Home } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { foldBlocks } from '../../chain/fold-blocks.ts'
import { authorOf, grantEnd } from '../../chain/rules/authority.ts'
import { completedDelays, type CompletedDelay } from '../receipt/rules/delays.ts'
import { devicesOf, mirrorsOf, readersOf, type ControlState, type Link } from '../../chain/state.ts'
import { AmpereError, brokenRule } from '../../errors.ts'
import type { Now } from '../../ports/keys.ts'
import type { CompletedErasure, SeenHead } from '../client.ts'
import { openShownHead, refuseByKnownRegistry, type HeadContext } from '../convict/shown-head.ts'
import type { HomeApi } from '../home-api.ts'
import { noteOf, type BlockNote } from './block-note.ts'
import { heightsIn, noteBatch, openBatches, type OpenBatches } from './batches.ts'
import { registryBlocks, type RememberedRegistry } from './registry-blocks.ts'

/** A verified copy of one chain, as far as it was read. Grows by `syncReplica` only. */
export interface Replica {
  readonly chain: ChainId
  readonly link: Link
  readonly notes: readonly BlockNote[]
  /** Institutions of the keys that signed blocks; devices have none. */
  readonly authors: ReadonlyMap<Kid, InstitutionId>
  /** Public epoch keys by epoch number, from the blocks that set them. */
  readonly epochs: ReadonlyMap<number, readonly EpochKey[]>
  /** SHA-256 of the label key of the state after the block at a height, from each height where it changes. */
  readonly labelKeys: readonly LabelKeySpan[]
  /** Completed erasures, in order. */
  readonly erasures: readonly CompletedErasure[]
  /** Steps that were completed after a delay, in order. */
  readonly delayed: readonly CompletedDelay[]
  /** When the grants end by which blocks were written, by height; none where they do not. */
  readonly grantEnds: ReadonlyMap<number, Timestamp>
  /** Heights of blocks whose batch has not got its last block (yet): nothing of them counts until it has. */
  readonly heldBack: ReadonlySet<number>
  /** Institutions that could read, and the home, from the height of each change on, in order. */
  readonly readers: readonly HolderSpan[]
  readonly head: HeadStatement
  /** The same as its home signed it. */
  readonly statement: string
}

/** Where the next block of a chain goes: behind its newest one, under a head of the registry. */
export interface ChainEnd extends Pick<Replica, 'chain' | 'link'> {
  readonly head: Pick<HeadStatement, 'registry'>
}

/** Who can read, and who holds, from a height on, until the next span. */
export interface HolderSpan {
  readonly height: number
  readonly home: Home
  readonly institutions: readonly string[]
  /** Institutions with the right to hold: their mirrors have a copy of what is sealed. */
  readonly mirrors: readonly string[]
  /** Number of the epoch, and whether it came without history: then it opens nothing older. */
  readonly epoch: { readonly number: number; readonly isCut: boolean }
  /** What the state says of who reads what, shared with other spans: each record in memory has all of its own. */
  readonly reading: Pick<ControlState, 'controllers' | 'recovery' | 'grants'>
}

/** Which label key holds after the block at a height, until the next span. */
export interface LabelKeySpan {
  readonly height: number
  readonly hash: Digest
}

/** What synchronising needs. */
export interface SyncContext extends HeadContext {
  readonly api: HomeApi
  readonly registry: RememberedRegistry
  readonly now: Now
  /** `readRegistry`, one at a time. */
  readonly refreshRegistry: () => Promise<void>
}

/** Brings the registry up to date. @throws AmpereError VERIFICATION_FAILED */
export function syncRegistry(context: SyncContext): Promise<void> {
  return context.refreshRegistry()
}

/** Reads the registry's news and verifies them. Two at once would add the same block twice. */
export async function readRegistry({ api, registry }: Pick<SyncContext, 'api' | 'registry'>): Promise<void> {
  // Each block that is added has a signature, so that they come to an end.
  for await (const compact of registryBlocks(api, registry.height() + 1)) await registry.add(compact)
}

/**
 * Brings a replica up to the head that the home states, verifying every block and rule on the way.
 * @param seen what this installation saw of the chain, perhaps in another process
 * @throws AmpereError VERIFICATION_FAILED (rule and height in the message), also for a rolled-back or forked home;
 *   CHAIN_MOVED where the chain left this home, naming the origin of the one where it is
 */
export async function syncReplica(
  context: SyncContext,
  chain: ChainId,
  known: Replica | null,
  seen: SeenHead | null = null,
): Promise<Replica> {
  const before = { known: known && { ...known.head, statement: known.statement }, seen }
  const askedMs = context.now()
  const answer = await context.api.head(chain)
  const shown = { compact: answer.head, askedMs, cameMs: context.now() }
  await syncRegistry(context).catch(async (error: unknown) => {
    await refuseByKnownRegistry(context, chain, shown, before)
    throw error
  })
  const head = await openShownHead(context, chain, shown, before)
  const grown = emptyOr(known)
  while ((grown.link?.opened.block.height ?? -1) < head.height) {
    const page = await context.api.blocks(chain, grown.notes.length)
    if (page.items.length === 0) throw brokenRule('withheld', 'the home holds back blocks below its own head')
    // Blocks that came after the head was stated wait for the next one.
    await grow(context, chain, grown, page.items.slice(0, head.height + 1 - grown.notes.length))
  }
  const at = grown.notes[head.height]
  if (!grown.link || at?.id !== head.block)
    throw brokenRule('forked', `two blocks are claimed at height ${head.height}`)
  const { origin } = grown.link.state.home
  if (origin !== context.pins.origin) throw elsewhere(grown.readers, context.pins.origin, origin)
  const { link, batches, ...parts } = grown
  return { chain, link, ...parts, heldBack: heightsIn(batches), head, statement: answer.head }
}

/** A home that the chain left shows all that it has; to go on reading there would be to miss what came since. */
function elsewhere(spans: readonly HolderSpan[], pinned: string, origin: string): AmpereError {
  return spans.some(({ home }) => home.origin === pinned)
    ? new AmpereError('CHAIN_MOVED', `the home of the chain is ${origin}`)
    : brokenRule('home', `the chain names another home, ${origin}`)
}

interface Growing {
  link: Link | null
  notes: BlockNote[]
  authors: Map<Kid, InstitutionId>
  epochs: Map<number, readonly EpochKey[]>
  labelKeys: LabelKeySpan[]
  erasures: CompletedErasure[]
  delayed: CompletedDelay[]
  readers: HolderSpan[]
  grantEnds: Map<number, Timestamp>
  batches: OpenBatches
}

function emptyOr(known: Replica | null): Growing {
  return {
    link: known?.link ?? null,
    notes: [...(known?.notes ?? [])],
    authors: new Map(known?.authors),
    epochs: new Map(known?.epochs),
    labelKeys: [...(known?.labelKeys ?? [])],
    erasures: [...(known?.erasures ?? [])],
    delayed: [...(known?.delayed ?? [])],
    readers: [...(known?.readers ?? [])],
    grantEnds: new Map(known?.grantEnds),
    batches: openBatches((known?.notes ?? []).filter((note) => known?.heldBack.has(note.height) === true)),
  }
}

async function grow(
  context: SyncContext,
  chain: ChainId,
  grown: Growing,
  compacts: readonly string[],
): Promise<void> {
  const folded = await foldBlocks(grown.link, compacts, {
    chain,
    viewAt: context.registry.viewAt,
    keyOf: context.registry.keyOf,
    verifiers: context.verifiers,
  })
  grown.readers.push(...holderSpans(folded.links))
  grown.erasures.push(...completedErasures(folded.links))
  grown.delayed.push(...completedDelays(folded.links))
  for (const link of folded.links) {
    const note = noteOf(link.opened)
    const ends = grantEnd(grown.link?.state ?? null, link.opened, context.registry.newest())
    if (ends !== null) grown.grantEnds.set(note.height, ends)
    grown.link = link
    grown.notes.push(note)
    noteBatch(grown.batches, note)
    noteAuthor(context, grown.authors, link)
    const hash = link.state.labelKeyHash
    if (grown.labelKeys.at(-1)?.hash !== hash) grown.labelKeys.push({ height: note.height, hash })
    const keys = epochKeysIn(link.opened)
    if (keys) grown.epochs.set(link.state.epoch.number, keys)
  }
  if (folded.broken) {
    const { height, violation } = folded.broken
    throw brokenRule(violation.rule, `block ${height}: ${violation.detail}`)
  }
}

/**
 * A key belongs to one owner for ever, so the first block that it signed tells. One that the chain lists as a device
 * is a device, whoever enrolled it too.
 */
function noteAuthor(context: SyncContext, authors: Map<Kid, InstitutionId>, { opened, state }: Link): void {
  if (authors.has(opened.kid)) return
  const records = context.registry.viewAt(opened.block.registry)
  const author = records && authorOf(opened.kid, state.controllers, records)
  if (author?.kind === 'instance') authors.set(opened.kid, author.institution)
}

/** Who holds what after each block that may change it. */
export function holderSpans(links: readonly Link[]): readonly HolderSpan[] {
  return links.flatMap(spanAfter)
}

/** Origin of the home that the state after the block at a height names, in whose log it is. */
export function homeAfter({ readers }: Pick<Replica, 'readers'>, height: number): string {
  const span = readers.findLast((item) => item.height <= height)
  if (!span) throw new RangeError('a chain begins with its first home')
  return span.home.origin
}

/** The erasures that blocks complete, in order. */
export function completedErasures(links: readonly Link[]): readonly CompletedErasure[] {
  return links.flatMap(({ opened: { id, block } }) =>
    block.type === 'erase' && block.body.act === 'complete'
      ? [{ id, height: block.height, body: block.body }]
      : [],
  )
}

function spanAfter({ opened: { block }, state }: Link): HolderSpan[] {
  if (block.type === 'record' || block.type === 'erase') return []
  const devices = new Set<string>(
    [...devicesOf(state.controllers), ...devicesOf(state.recovery)].map(({ kid }) => kid),
  )
  const institutions = readersOf(state).filter((reader) => !devices.has(reader))
  const isCut = (block.type === 'genesis' ? null : keysIn(block)?.epoch?.cut) === true
  return [
    {
      height: block.height,
      home: state.home,
      institutions,
      mirrors: mirrorsOf(state),
      epoch: { number: state.epoch.number, isCut },
      reading: { controllers: state.controllers, recovery: state.recovery, grants: state.grants },
    },
  ]
}

function epochKeysIn(parsed: ParsedBlock): readonly EpochKey[] | null {
  const { block } = parsed
  if (block.type === 'genesis') return block.body.compartments
  return keysIn(block)?.epoch?.compartments ?? null
}
