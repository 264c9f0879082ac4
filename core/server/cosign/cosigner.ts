// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { AmpereError, isAmpereError, type ErrorCode } from '../../errors.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import type { LogKey } from '../../log/note/key.ts'
import { formatNote, parseNote, withSignatures, type NoteSignature } from '../../log/note/note.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { quorumOf } from '../../log/policy/quorum.ts'
import { COSIGNER_AHEAD_SECONDS, quorumTime } from '../../log/policy/quorum-time.ts'
import { consistencyFromTiles } from '../../log/tile/read.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Row } from '../../ports/table.ts'
import type { Home } from '../home.ts'
import { loadTree } from '../sequence/tree.ts'
import { LOG_PARTITION, PUBLISHED_KEY, WITNESSED_PARTITION } from '../store/log.ts'
import { heightKey } from '../store/rows.ts'
import { askWitness, type Asked, type Offer } from './ask-witness.ts'
import type { CosignerPorts } from './needs.ts'
import { Rests } from './rests.ts'

/** An idle log has its checkpoint cosigned anew when the quorum's time is this long ago, in seconds. */
export const REFRESH_SECONDS = 3600

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
  /** URLs of those that did, and not with all their keys at the time of this home's clock: one of the two is wrong. */
  readonly untimely: readonly string[]
}

/** Gets the cosignatures of a policy for what the log publishes. */
export interface Cosigner {
  run(): Promise<CosignReport>
}

/**
 * Asks the witnesses of a policy that have a URL: nobody while the quorum is fresh, else those whose own cosignatures
 * are not, each less and less often while it does not help. What it remembers between rounds, witnesses tell again.
 */
export function createCosigner(
  ports: CosignerPorts,
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  deadline: Deadline = (ms) => AbortSignal.timeout(ms),
): Cosigner {
  const memory: Memory = { sizes: new Map(), rests: new Rests(), kept: null }
  const witnesses = askedOf(policy)
  return {
    run: async () => {
      const row = await ports.tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
      if (!row || witnesses.length === 0) return { ...NOTHING, outcome: 'none', satisfied: false }
      const nowMs = ports.now()
      const before = await stateOf(home, policy, row, nowMs / 1000)
      const { satisfied } = before
      // The policy may be another than when this was published, and what it has enough for this one.
      if (satisfied && memory.kept !== before.note) {
        await keepWitnessed(ports, home, policy, before, nowMs / 1000)
        memory.kept = before.note
      }
      const stale = isFresh(before.since, nowMs / 1000)
        ? []
        : witnesses.filter(({ keys }) => !hasFresh(before.times, keys, nowMs / 1000))
      if (stale.length === 0) return { ...NOTHING, outcome: 'fresh', satisfied }
      const offer = offerOf(ports, before)
      const due = stale.filter(({ url }) => !memory.rests.isResting(url, offer.text, nowMs))
      if (due.length === 0) return { ...NOTHING, outcome: 'resting', satisfied }
      const ask = (asked: Asked) => askOne(ports, home, { asked, offer, memory, deadline })
      const answers = await Promise.all(due.map(ask))
      const signatures = answers.flatMap((answer) => answer.signatures)
      const note = formatNote(withSignatures(parseNote(before.note), signatures))
      const after = await keep(ports, home, policy, row, note)
      if (after.satisfied) memory.kept = after.note
      return {
        outcome: 'asked',
        satisfied: after.satisfied,
        failed: answers.flatMap(({ failed }) => (failed ? [failed] : [])),
        untimely: rest(memory, answers, { offer, after, nowMs }),
      }
    },
  }
}

const NOTHING = { failed: [], untimely: [] } as const

interface Memory {
  /** What each witness has, by URL. */
  readonly sizes: Map<string, number>
  readonly rests: Rests
  /** The published note with a quorum of which it was seen that it, or one that does as well, is kept for receipts. */
  kept: string | null
}

interface Gathered {
  readonly asked: Asked
  readonly signatures: readonly NoteSignature[]
  readonly failed: CosignReport['failed'][number] | null
}

async function askOne(
  ports: CosignerPorts,
  { verifiers }: Pick<Home, 'verifiers'>,
  what: {
    readonly asked: Asked
    readonly offer: Offer
    readonly memory: Memory
    readonly deadline: Deadline
  },
): Promise<Gathered> {
  const { asked, offer, deadline } = what
  const { sizes } = what.memory
  try {
    const request = { fetch: ports.fetch, deadline }
    const answer = await askWitness(request, asked, offer, sizes.get(asked.url) ?? 0, verifiers)
    sizes.set(asked.url, answer.size)
    if (answer.size > offer.size) await checkNotRolledBack(ports, answer.size)
    return { asked, signatures: answer.signatures, failed: null }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { asked, signatures: [], failed: { url: asked.url, code: error.code, why: error.message } }
  }
}

/** Leaves alone who did not help. @returns URLs of those that cosigned, and not as they should */
function rest(
  { rests }: Memory,
  answers: readonly Gathered[],
  { offer, after, nowMs }: { readonly offer: Offer; readonly after: State; readonly nowMs: number },
): readonly string[] {
  const untimely: string[] = []
  for (const { asked, failed, signatures } of answers) {
    if (hasFresh(after.times, asked.keys, nowMs / 1000)) rests.end(asked.url)
    else if (failed) {
      // Where this home's own store does not answer the witness did nothing wrong.
      if (!isOwn(failed.code)) rests.afterFailure(asked.url, nowMs)
    } else {
      rests.afterAnswer(asked.url, offer.text, nowMs)
      if (signatures.length > 0) untimely.push(asked.url)
    }
  }
  return untimely
}

function isOwn(code: ErrorCode): boolean {
  return code === 'STORE_UNAVAILABLE' || code === 'STORE_LOCKED'
}

interface State {
  readonly note: string
  readonly checkpoint: Checkpoint
  readonly satisfied: boolean
  /** POSIX seconds since when the quorum stands behind it. */
  readonly since: number | null
  /** POSIX seconds of each cosignature of the policy's witnesses. */
  readonly times: ReadonlyMap<LogKey, number>
}

async function stateOf(
  { verifiers }: Pick<Home, 'verifiers'>,
  policy: Policy,
  row: Row,
  nowSeconds: number,
): Promise<State> {
  const note = fromUtf8(row.value)
  const { checkpoint, cosignatures } = await opened(policy, note, verifiers)
  const { satisfied } = quorumOf(
    policy,
    cosignatures.map(({ key }) => key),
  )
  return {
    note,
    checkpoint,
    satisfied: policy.quorum !== null && satisfied,
    since: quorumTime(policy, cosignatures, nowSeconds),
    times: new Map(cosignatures.map(({ key, time }) => [key, time])),
  }
}

function isFresh(time: number | null, nowSeconds: number): boolean {
  if (time === null || time > nowSeconds + COSIGNER_AHEAD_SECONDS) return false
  return nowSeconds - time < REFRESH_SECONDS
}

/** Whether all keys of a witness cosigned lately; those of a policy are the ones that what it cosigned is opened with. */
function hasFresh(times: State['times'], keys: readonly LogKey[], nowSeconds: number): boolean {
  return keys.every((key) => isFresh(times.get(key) ?? null, nowSeconds))
}

/** @throws AmpereError CONFIGURATION when the policy does not have the keys of this log */
async function opened(policy: Policy, note: string, verifiers: Home['verifiers']) {
  const keys = {
    logs: policy.logs.map(({ key }) => key),
    cosigners: policy.witnesses.map(({ key }) => key),
  }
  try {
    return await openCheckpoint(note, keys, verifiers)
  } catch (cause) {
    throw new AmpereError('CONFIGURATION', 'the policy does not have the keys of this log', { cause })
  }
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

/**
 * A witness may be ahead of what was read a moment ago, never of what this log has committed.
 * @throws AmpereError STORE_CORRUPT when it is: this home's store is an older copy, or the witness lies
 */
async function checkNotRolledBack({ tables }: CosignerPorts, size: number): Promise<void> {
  const committed = await loadTree(tables.checkpoints)
  if (!committed || committed.tree.checkpoint.size < size)
    throw new AmpereError('STORE_CORRUPT', 'the witness has cosigned a larger tree than this home has')
}

/** Publishes the cosigned checkpoint unless a larger one was published meanwhile, once it is kept for receipts. */
async function keep(
  ports: CosignerPorts,
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  row: Row,
  note: string,
): Promise<State> {
  const { tables, now } = ports
  const value = utf8(note)
  const nowSeconds = now() / 1000
  const state = await stateOf(home, policy, { ...row, value }, nowSeconds)
  if (state.satisfied) await keepWitnessed(ports, home, policy, state, nowSeconds)
  if (note !== fromUtf8(row.value))
    await tables.checkpoints.swap(LOG_PARTITION, PUBLISHED_KEY, row.version, value)
  return state
}

/**
 * Keeps a checkpoint that has the quorum for receipts, unless one of its size is kept that has it: the first stays. One
 * without, of an earlier policy or robbed of its cosignatures, gives way; what is published has the cosignatures of both.
 */
async function keepWitnessed(
  { tables }: CosignerPorts,
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  { note, checkpoint }: State,
  nowSeconds: number,
): Promise<void> {
  const key = heightKey(checkpoint.size)
  const value = utf8(note)
  if ((await tables.checkpoints.insert(WITNESSED_PARTITION, key, value)) === 'inserted') return
  const kept = await tables.checkpoints.get(WITNESSED_PARTITION, key)
  if (kept && (await givesWay(home, policy, kept, checkpoint, nowSeconds)))
    await tables.checkpoints.swap(WITNESSED_PARTITION, key, kept.version, value)
}

async function givesWay(
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  kept: Row,
  { root }: Checkpoint,
  nowSeconds: number,
): Promise<boolean> {
  try {
    const state = await stateOf(home, policy, kept, nowSeconds)
    // Two roots that the log signed for one size are proof of a fork: audits find it, and nobody may remove it.
    return !state.satisfied && equalBytes(state.checkpoint.root, root)
  } catch (error) {
    if (isAmpereError(error)) return true
    throw error
  }
}
