// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import type { Grant } from '../../block/block.ts'
import { parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import type { Append } from '../../api/append.ts'
import type { AppendAnswer } from '../../api/answers.ts'
import type { Link } from '../../chain/state.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import type { Home } from '../home.ts'
import { logIndex } from '../store/log.ts'
import { heightKey, loadBlock, loadHead, loadState } from '../store/rows.ts'
import { admit, type StoredHead } from './admit.ts'
import { headStatement } from './head.ts'
import type { AppendPorts } from './needs.ts'
import { checkParts } from './parts.ts'
import { countedGrant, type Charge, type Quotas } from './quota.ts'
import { authorOf } from '../../chain/rules/authority.ts'
import { fetchUpload, findUpload, settleUpload } from '../upload/use.ts'
import { APPEND_DEADLINE_MS, isMarked, mark, storeParts } from './store-parts.ts'

/** What an append came to: the block as it stands here, and the answer that says so. */
export interface Appended {
  readonly stored: ParsedBlock
  /** False when this very block was there already. */
  readonly isNew: boolean
  readonly answer: AppendAnswer
}

/**
 * Appends one block. Law, freshness and the grant's limits are judged before storage is spent. The last write, of
 * the block itself at its height if absent, is the only commit: what was stored before it is unreachable until
 * then and harmless afterwards.
 *
 * Durable when it resolves. The same signing input again is success, whatever was erased since; as anybody may send
 * again what is in some export, the answer then says nothing of later blocks.
 * @param admittedMs when the home took the block on, by which its time is judged
 * @throws AmpereError HEAD_CONFLICT when another block has that height, LIMIT_EXCEEDED, and those of `admit`,
 *   `findUpload` and `fetchUpload`
 */
export async function appendBlock(
  ports: AppendPorts,
  home: Home,
  quotas: Quotas,
  append: Append,
  admittedMs: number = ports.now(),
): Promise<Appended> {
  const parsed = parseBlock(append.block)
  const head = await loadHead(ports.tables.blocks, parsed.chain)
  const place = await findPlace(ports, parsed, head)
  if (place.stored) {
    await markAgain(ports, place.stored)
    return { ...(await answer(ports, home, place.stored, head)), isNew: false }
  }
  const judged = await judge(ports, home, parsed, head, admittedMs)
  const whole = await withUpload(ports, parsed, append, judged.owner)
  await checkParts(parsed, whole, judged.link.state)
  const { entries } = parsed.block
  const charge = entries && (await quotas.charge(parsed.chain, judged.grant, entries))
  const markedMs = await storeParts(ports, parsed, whole, judged.link)
  const appended = await commit(ports, home, parsed, { markedMs, charge, registry: judged.registry })
  if (append.upload !== undefined) await settleUpload(ports, judged.owner, append.upload, parsed)
  return appended
}

/**
 * Judges a block as `appendBlock` would now, and stores nothing.
 * @returns whose uploads it may bring; null when this very block is there already
 * @throws AmpereError HEAD_CONFLICT, and those of `admit`
 */
export async function judgeAhead(
  ports: AppendPorts,
  home: Home,
  parsed: ParsedBlock,
): Promise<string | null> {
  const head = await loadHead(ports.tables.blocks, parsed.chain)
  if ((await findPlace(ports, parsed, head)).stored) return null
  return (await judge(ports, home, parsed, head, ports.now())).owner
}

/** The append with the object that was uploaded for it. */
async function withUpload(
  ports: AppendPorts,
  parsed: ParsedBlock,
  append: Append,
  owner: string,
): Promise<Append> {
  if (append.upload === undefined) return append
  const offer = await findUpload(ports, owner, parsed, append.upload)
  return { ...append, object: await fetchUpload(ports, owner, offer) }
}

/** What judging a block gives. */
interface Judged {
  readonly link: Link
  /** By which it was judged, read for this append. */
  readonly registry: RegistryHistory
  readonly grant: Grant | null
  /** Whose uploads its author may append: an institution's, or a device's own. */
  readonly owner: string
}

/** Looks for the block itself first: a retry must answer before anything is judged or stored again. */
async function findPlace(
  ports: AppendPorts,
  parsed: ParsedBlock,
  head: ParsedBlock | null,
): Promise<{ stored: ParsedBlock | null }> {
  const { height } = parsed.block
  const next = (head?.block.height ?? -1) + 1
  if (height === next) return { stored: null }
  if (height > next) {
    if (!head) throw new AmpereError('NOT_FOUND', 'no such chain')
    throw new AmpereError('HEAD_CONFLICT', `block ${height} does not follow the newest block here`)
  }
  const stored =
    height === head?.block.height ? head : await loadBlock(ports.tables.blocks, parsed.chain, height)
  if (stored?.id === parsed.id) return { stored }
  throw new AmpereError('HEAD_CONFLICT', `block ${height} exists; read on from ${height} and sign again`)
}

/**
 * A block that is sent again may have lost its mark; the answer promises once more that it will be logged. What is logged gets
 * none, because its mark went as it should. Only reading, where nothing was lost: a retry costs nothing.
 */
async function markAgain(ports: AppendPorts, stored: ParsedBlock): Promise<void> {
  if ((await indexIn(ports, stored)) === null && !(await isMarked(ports, stored))) await mark(ports, stored)
}

/** Null also when the chain's positions were changed: the block is stored, and so it is answered; a mark harms nothing. */
async function indexIn({ tables }: AppendPorts, { chain, block }: ParsedBlock): Promise<number | null> {
  try {
    return await logIndex(tables.leaves, chain, block.height)
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return null
    throw error
  }
}

async function judge(
  ports: AppendPorts,
  home: Home,
  parsed: ParsedBlock,
  head: ParsedBlock | null,
  nowMs: number,
): Promise<Judged> {
  const registry = await home.registry.refresh()
  const stored: StoredHead | null = head
    ? { parsed: head, state: await loadState(ports.tables.states, head.chain, head.block.state) }
    : null
  const link = await admit(parsed, stored, registry, {
    verifiers: home.verifiers,
    nowMs,
    home,
  })
  const records = registry.viewAt(parsed.block.registry)
  const author = records && authorOf(parsed.kid, stored?.state.controllers ?? null, records)
  const owner = author?.kind === 'instance' ? author.institution : parsed.kid
  return { link, registry, grant: records && countedGrant(parsed, link.state, records), owner }
}

/** What a block is committed with. */
interface Committing {
  readonly markedMs: number
  readonly charge: Charge | null
  readonly registry: RegistryHistory
}

async function commit(
  ports: AppendPorts,
  home: Home,
  parsed: ParsedBlock,
  { markedMs, charge, registry }: Committing,
): Promise<Appended> {
  const { blocks } = ports.tables
  const outcome = await blocks.insert(parsed.chain, heightKey(parsed.block.height), utf8(parsed.compact))
  charge?.settle(outcome === 'inserted' ? 'committed' : 'lost')
  // This one call may take longer than any deadline: then whoever logs blocks has given the mark up. One more, before
  // anybody is told that the block is there.
  if (ports.now() - markedMs > APPEND_DEADLINE_MS) await mark(ports, parsed)
  if (outcome === 'inserted') return { ...(await answer(ports, home, parsed, parsed, registry)), isNew: true }
  const stored = await loadBlock(blocks, parsed.chain, parsed.block.height)
  const head = await loadHead(blocks, parsed.chain)
  if (stored?.id === parsed.id)
    return { ...(await answer(ports, home, stored, head, registry)), isNew: false }
  throw new AmpereError(
    'HEAD_CONFLICT',
    `block ${parsed.block.height} exists; read on from it and sign again`,
  )
}

/**
 * A statement of a block below the newest, signed now, would make a chain look as short as then; one of the newest would
 * tell whoever has some old block how long the chain is. So there is none: an author reads the head, with its signature.
 */
async function answer(
  ports: AppendPorts,
  home: Home,
  stored: ParsedBlock,
  head: ParsedBlock | null,
  registry: RegistryHistory | null = null,
): Promise<Omit<Appended, 'isNew'>> {
  const isNewest = stored.id === head?.id
  return {
    stored,
    answer: {
      block: stored.compact,
      head: isNewest ? await headStatement(ports, home, stored, registry) : null,
    },
  }
}
