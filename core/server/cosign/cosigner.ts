// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError, type ErrorCode } from '../../errors.ts'
import { formatNote, parseNote, withSignatures, type NoteSignature } from '../../log/note/note.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { consistencyFromTiles } from '../../log/tile/read.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Row } from '../../ports/table.ts'
import type { Home } from '../home.ts'
import { loadTree } from '../sequence/tree.ts'
import { LOG_PARTITION, PUBLISHED_KEY } from '../store/log.ts'
import { askWitness, type Asked, type Offer } from './ask-witness.ts'
import { isNowBehind, isUnpublishedBehind, type LogHome } from './judge-behind.ts'
import { keep, keepWitnessed } from './keep.ts'
import { emptyMemory, type Memory } from './memory.ts'
import type { CosignerPorts } from './needs.ts'
import { hasFresh, isFresh, stateOf, type State } from './state.ts'

/** What came of one round. */
export interface CosignReport {
  /**
   * `asked`: witnesses were asked; `fresh`: they need not be; `resting`: they would be, had they not failed a moment ago;
   * `none`: nothing to cosign, or nobody to ask.
   */
  readonly outcome: 'asked' | 'fresh' | 'resting' | 'none'
  /** True when the newest published checkpoint has the quorum of the policy. */
  readonly satisfied: boolean
  /** Witnesses that did not cosign, by URL. */
  readonly failed: readonly { readonly url: string; readonly code: ErrorCode; readonly why: string }[]
  /**
   * URLs of those that did, and not with all their keys at the time of this home's clock: one of the two is wrong. What was
   * cosigned at another time is not kept.
   */
  readonly untimely: readonly string[]
  /** URLs of those that had cosigned a larger tree than this home has, when they were last asked. */
  readonly ahead: readonly string[]
  /** True when those show that this home's stores are older than what it signed (`isBehind`): it may sign nothing more. */
  readonly behind: boolean
}

/** Gets the cosignatures of a policy for what the log publishes. */
export interface Cosigner {
  /** `withinMs` is how long a witness may take to cosign, and as long again to show what it has. */
  run(withinMs?: number): Promise<CosignReport>
}

/** How a cosigner works. */
export interface CosignerOptions {
  readonly deadline?: Deadline
  /** Asks, and keeps nothing of what is answered: the stores are opened to be read. */
  readonly looksOnly?: boolean
}

/**
 * Asks the witnesses of a policy that have a URL: those that did not answer yet, because what they saw may be more than the
 * stores know; of the others nobody while the quorum is fresh, else those whose own cosignatures are not. Each is asked less
 * and less often while it does not help. What it remembers between rounds, witnesses tell again.
 */
export function createCosigner(
  ports: CosignerPorts,
  home: LogHome,
  policy: Policy,
  { deadline = (ms) => AbortSignal.timeout(ms), looksOnly = false }: CosignerOptions = {},
): Cosigner {
  const by = { ports, home, policy, looksOnly, memory: emptyMemory(), witnesses: askedOf(policy) }
  return { run: (withinMs) => round(by, withinOf(deadline, withinMs)) }
}

/** Who asks whom, and what is known from before. */
interface By {
  readonly ports: CosignerPorts
  readonly home: LogHome
  readonly policy: Policy
  readonly looksOnly: boolean
  readonly memory: Memory
  readonly witnesses: readonly Asked[]
}

async function round(by: By, within: () => Deadline): Promise<CosignReport> {
  const { ports, home, policy, memory, witnesses } = by
  const row = await ports.tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  if (!row || witnesses.length === 0) {
    const urls = witnesses.map(({ url }) => url)
    const judging = { memory, published: 0, deadline: within() }
    memory.isBehind = await isUnpublishedBehind(ports, home, policy, urls, judging)
    return { ...NOTHING, ...aheadIn(memory), outcome: 'none', satisfied: false }
  }
  const nowMs = ports.now()
  const before = await stateOf(home, policy, row, nowMs / 1000)
  const { satisfied } = before
  // The policy may be another than when this was published, and what it has enough for this one.
  if (satisfied && memory.kept !== before.note && !by.looksOnly) {
    await keepWitnessed(ports, home, policy, before, nowMs / 1000)
    memory.kept = before.note
  }
  const stale = staleOf(witnesses, memory, before, nowMs / 1000)
  if (stale.length === 0) return { ...NOTHING, ...aheadIn(memory), outcome: 'fresh', satisfied }
  const offer = offerOf(ports, before)
  const due = stale.filter(({ url }) => !memory.rests.isResting(url, offer.text, nowMs))
  if (due.length === 0) return { ...NOTHING, ...aheadIn(memory), outcome: 'resting', satisfied }
  return askThem(by, within, { row, before, offer, due, nowMs })
}

/** What is offered to whom, and as what it was read. */
interface Due {
  readonly row: Row
  readonly before: State
  readonly offer: Offer
  readonly due: readonly Asked[]
  readonly nowMs: number
}

async function askThem(
  { ports, home, policy, memory, looksOnly }: By,
  within: () => Deadline,
  { row, before, offer, due, nowMs }: Due,
): Promise<CosignReport> {
  // Who cosigned this very tree has at least that.
  const had = ({ keys }: Asked) => (hasFresh(before.times, keys, nowMs / 1000) ? offer.size : 0)
  const asking = { offer, memory, deadline: within() }
  const answers = await Promise.all(
    due.map((asked) => askOne(ports, home, { asked, had: had(asked), ...asking })),
  )
  const judging = { memory, published: offer.size, deadline: within() }
  memory.isBehind = await isNowBehind(ports, home, policy, judging)
  const signatures = answers.flatMap((answer) => answer.signatures)
  const note = formatNote(withSignatures(parseNote(before.note), signatures))
  const after = looksOnly ? before : await keep(ports, home, policy, row, note)
  if (after.satisfied) memory.kept = after.note
  return {
    outcome: 'asked',
    satisfied: after.satisfied,
    failed: answers.flatMap(({ failed }) => (failed ? [failed] : [])),
    untimely: rest(memory, answers, { offer, after, nowMs }),
    ...aheadIn(memory),
  }
}

/** Makes deadlines, each time for one step: all that is asked in it ends `withinMs` after it began, however often it asks. */
function withinOf(deadline: Deadline, withinMs: number | undefined): () => Deadline {
  if (withinMs === undefined) return () => deadline
  return () => {
    const end = deadline(withinMs)
    return (ms) => (ms < withinMs ? AbortSignal.any([deadline(ms), end]) : end)
  }
}

const NOTHING = { failed: [], untimely: [], ahead: [], behind: false } as const

function staleOf(
  witnesses: readonly Asked[],
  { sizes }: Memory,
  { since, times }: State,
  nowSeconds: number,
): readonly Asked[] {
  const isQuorumFresh = isFresh(since, nowSeconds)
  return witnesses.filter(
    ({ url, keys }) => !sizes.has(url) || (!isQuorumFresh && !hasFresh(times, keys, nowSeconds)),
  )
}

function aheadIn({ ahead, isBehind: behind }: Memory): Pick<CosignReport, 'ahead' | 'behind'> {
  return { ahead: [...ahead], behind }
}

interface Gathered {
  readonly asked: Asked
  readonly signatures: readonly NoteSignature[]
  readonly isUntimely: boolean
  readonly failed: CosignReport['failed'][number] | null
}

async function askOne(
  ports: CosignerPorts,
  { verifiers }: Pick<Home, 'verifiers'>,
  what: {
    readonly asked: Asked
    /** What it is thought to have where it did not answer yet. */
    readonly had: number
    readonly offer: Offer
    readonly memory: Memory
    readonly deadline: Deadline
  },
): Promise<Gathered> {
  const { asked, had, offer, deadline } = what
  const { sizes, ahead, refusing } = what.memory
  try {
    const request = { fetch: ports.fetch, now: ports.now, deadline }
    const answer = await askWitness(request, asked, offer, sizes.get(asked.url) ?? had, verifiers)
    const isAhead = answer.size > offer.size && !(await isCommitted(ports, answer.size))
    // Not before: one whose answer could not be held against the store is asked again.
    sizes.set(asked.url, answer.size)
    if (isAhead) {
      ahead.add(asked.url)
      throw new AmpereError('STORE_CORRUPT', 'the witness has cosigned a larger tree than this home has')
    }
    ahead.delete(asked.url)
    if (answer.isRefused) {
      refusing.add(asked.url)
      throw new AmpereError('UPSTREAM_FAILED', 'the witness answered 422')
    }
    refusing.delete(asked.url)
    return { asked, signatures: answer.signatures, isUntimely: answer.isUntimely, failed: null }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return {
      asked,
      signatures: [],
      isUntimely: false,
      failed: { url: asked.url, code: error.code, why: error.message },
    }
  }
}

/** Leaves alone who did not help. @returns URLs of those that cosigned, and not as they should */
function rest(
  { rests }: Memory,
  answers: readonly Gathered[],
  { offer, after, nowMs }: { readonly offer: Offer; readonly after: State; readonly nowMs: number },
): readonly string[] {
  const untimely: string[] = []
  for (const { asked, failed, signatures, isUntimely } of answers) {
    if (hasFresh(after.times, asked.keys, nowMs / 1000)) rests.end(asked.url)
    else if (failed) {
      // Where this home's own store does not answer the witness did nothing wrong.
      if (!isOwn(failed.code)) rests.afterFailure(asked.url, nowMs)
    } else {
      rests.afterAnswer(asked.url, offer.text, nowMs)
      if (signatures.length > 0 || isUntimely) untimely.push(asked.url)
    }
  }
  return untimely
}

function isOwn(code: ErrorCode): boolean {
  return code === 'STORE_UNAVAILABLE' || code === 'STORE_LOCKED'
}

/** Witnesses by URL: several keys answer at one. */
function askedOf(policy: Policy): readonly Asked[] {
  const byUrl = new Map<string, Asked>()
  for (const { url, key } of policy.witnesses)
    if (url !== null) byUrl.set(url, { url, keys: [...(byUrl.get(url)?.keys ?? []), key] })
  return [...byUrl.values()]
}

/** Without the cosignatures that it has: witnesses take small requests, and want the log's own signatures only. */
function offerOf({ objects }: CosignerPorts, { note, checkpoint }: State): Offer {
  const { text, signatures } = parseNote(note)
  const own = signatures.filter(({ name }) => name === checkpoint.origin)
  const read = tileReader((path) => objects.log.fetch(path), checkpoint.size)
  return {
    note: formatNote({ text, signatures: own }),
    text,
    size: checkpoint.size,
    proofFrom: (oldSize) => consistencyFromTiles(oldSize, checkpoint.size, read),
  }
}

/** A witness may be ahead of what was read a moment ago, never of what this log has committed. */
async function isCommitted({ tables }: CosignerPorts, size: number): Promise<boolean> {
  const committed = await loadTree(tables.checkpoints)
  return committed !== null && committed.tree.checkpoint.size >= size
}
