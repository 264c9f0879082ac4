// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '../../api/log.ts'
import type { ErrorCode } from '../../errors.ts'
import type { LogKey } from '../../log/note/key.ts'
import { formatNote, parseNote, withSignatures } from '../../log/note/note.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { consistencyFromTiles } from '../../log/tile/read.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Row } from '../../ports/table.ts'
import { LOG_PARTITION, PUBLISHED_KEY } from '../store/log.ts'
import type { Asked, Offer } from './ask-witness.ts'
import { askOne, type Failed, type Gathered } from './gather.ts'
import { judgeBehind, type LogHome } from './judge-behind.ts'
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
  readonly failed: readonly Failed[]
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
  /** What the last round that could judge it found, also where it failed after that; false before there was one. */
  isBehind(): boolean
  /** Whether a round could judge it. */
  hasLooked(): boolean
}

/** How a cosigner works. */
export interface CosignerOptions {
  readonly deadline?: Deadline
  /** Asks, and keeps nothing of what is answered: the stores are opened to be read. */
  readonly looksOnly?: boolean
  /** Keys with which this log signs; those that the policy has for it where they are left out. */
  readonly logKeys?: readonly LogKey[]
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
  {
    deadline = (ms) => AbortSignal.timeout(ms),
    looksOnly = false,
    logKeys = keysIn(policy, home),
  }: CosignerOptions = {},
): Cosigner {
  const memory = emptyMemory()
  const by = { ports, home, policy, looksOnly, logKeys, memory, witnesses: askedOf(policy) }
  return {
    run: (withinMs) => round(by, withinOf(deadline, withinMs)),
    isBehind: () => memory.isBehind,
    hasLooked: () => memory.hasLooked,
  }
}

function keysIn({ logs }: Policy, { origin }: LogHome): readonly LogKey[] {
  return logs.map(({ key }) => key).filter(({ name }) => name === logOriginOf(origin))
}

/** Who asks whom, and what is known from before. */
interface By {
  readonly ports: CosignerPorts
  readonly home: LogHome
  readonly policy: Policy
  readonly looksOnly: boolean
  readonly logKeys: readonly LogKey[]
  readonly memory: Memory
  readonly witnesses: readonly Asked[]
}

async function round(by: By, within: () => Deadline): Promise<CosignReport> {
  const { ports, home, policy, memory, witnesses } = by
  const row = await ports.tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  const nowMs = ports.now()
  const before = row && (await readState(by, row, nowMs, within))
  if (!row || !before || witnesses.length === 0) {
    await lookUnpublished(by, within)
    return { ...NOTHING, ...aheadIn(memory), outcome: 'none', satisfied: before?.satisfied ?? false }
  }
  const { satisfied, checkpoint } = before
  const stale = staleOf(witnesses, memory, before, nowMs / 1000)
  // Nearly all rounds find everything fresh: nothing is made for nobody.
  const asked = stale.length === 0 ? null : await askStale(by, before, stale, { nowMs, deadline: within() })
  const answers = asked?.answers ?? []
  const isWhole = !answers.some(({ isUnjudged }) => isUnjudged)
  const judging = { memory, published: checkpoint.size, logKeys: by.logKeys, isWhole, deadline: within() }
  await judgeBehind(ports, home, policy, judging)
  if (asked && answers.length > 0) return kept(by, { row, before, nowMs, ...asked })
  await keepKnown(by, before, nowMs)
  return { ...NOTHING, ...aheadIn(memory), outcome: asked ? 'resting' : 'fresh', satisfied }
}

/** Asks those that are not left alone for now. */
async function askStale(
  { ports, home, memory }: By,
  before: State,
  stale: readonly Asked[],
  { nowMs, deadline }: { readonly nowMs: number; readonly deadline: Deadline },
): Promise<Pick<Answers, 'offer' | 'answers'>> {
  const offer = offerOf(ports, before)
  const due = stale.filter(({ url }) => !memory.rests.isResting(url, offer.text, nowMs))
  // Who cosigned this very tree has at least that.
  const had = ({ keys }: Asked) => (hasFresh(before.times, keys, nowMs / 1000) ? offer.size : 0)
  const ask = (asked: Asked) => askOne(ports, home, { asked, had: had(asked), offer, memory, deadline })
  return { offer, answers: await Promise.all(due.map(ask)) }
}

/** @throws AmpereError CONFIGURATION when what is published is not signed as the policy says, after witnesses were asked what they saw */
async function readState(by: By, row: Row, nowMs: number, within: () => Deadline): Promise<State> {
  try {
    return await stateOf(by.home, by.policy, row, nowMs / 1000)
  } catch (error) {
    await lookUnpublished(by, within)
    throw error
  }
}

/**
 * While nothing is published here, or what is cannot be read, nobody can be asked to cosign, and a copy from before the first
 * tree was would begin the log again. Whoever shows a tree that the log signed has seen it.
 */
async function lookUnpublished(
  { ports, home, policy, logKeys, memory, witnesses }: By,
  within: () => Deadline,
): Promise<void> {
  const said = { ahead: new Set<string>(), refusing: new Set(witnesses.map(({ url }) => url)) }
  const judging = { memory, published: 0, logKeys, isWhole: true, deadline: within() }
  await judgeBehind(ports, home, policy, judging, said)
}

/** The policy may be another than when this was published, and what it has enough for this one. */
async function keepKnown(
  { ports, home, policy, memory, looksOnly }: By,
  before: State,
  nowMs: number,
): Promise<void> {
  if (!before.satisfied || memory.kept === before.note || looksOnly) return
  await keepWitnessed(ports, home, policy, before, nowMs / 1000)
  memory.kept = before.note
}

/** What was offered, as what it was read, and what came of it. */
interface Answers {
  readonly row: Row
  readonly before: State
  readonly offer: Offer
  readonly nowMs: number
  readonly answers: readonly Gathered[]
}

async function kept(by: By, { row, before, offer, nowMs, answers }: Answers): Promise<CosignReport> {
  const { ports, home, policy, memory, looksOnly } = by
  await keepKnown(by, before, nowMs)
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
