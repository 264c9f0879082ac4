// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { AmpereError, isAmpereError, type ErrorCode } from '../../errors.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import { formatNote, parseNote, withSignatures } from '../../log/note/note.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { quorumOf } from '../../log/policy/quorum.ts'
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

/** An idle log has its checkpoint cosigned anew when its cosignatures are this old, in seconds. */
export const REFRESH_SECONDS = 3600

/** What came of one round. */
export interface CosignReport {
  /** `asked`: witnesses were asked; `fresh`: the published checkpoint has what it needs; `none`: nothing to cosign. */
  readonly outcome: 'asked' | 'fresh' | 'none'
  /** True when the newest published checkpoint has the quorum of the policy. */
  readonly satisfied: boolean
  /** Witnesses that did not cosign, by URL. */
  readonly failed: readonly { readonly url: string; readonly code: ErrorCode; readonly why: string }[]
}

/** Gets the cosignatures of a policy for what the log publishes. */
export interface Cosigner {
  run(): Promise<CosignReport>
}

/** Asks the witnesses of a policy that have a URL. What it remembers between rounds, witnesses tell again. */
export function createCosigner(
  ports: CosignerPorts,
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  deadline: Deadline = (ms) => AbortSignal.timeout(ms),
): Cosigner {
  const sizes = new Map<string, number>()
  const witnesses = askedOf(policy)
  return {
    run: async () => {
      const row = await ports.tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
      if (!row || witnesses.length === 0) return { outcome: 'none', satisfied: false, failed: [] }
      const before = await stateOf(home, policy, row)
      if (before.satisfied && ports.now() / 1000 - before.oldest < REFRESH_SECONDS)
        return { outcome: 'fresh', satisfied: true, failed: [] }
      const offer = offerOf(ports, before)
      const failed: CosignReport['failed'][number][] = []
      const gathered = await Promise.all(
        witnesses.map(async (asked) => {
          try {
            const { url } = asked
            const request = { fetch: ports.fetch, deadline }
            const answer = await askWitness(request, asked, offer, sizes.get(url) ?? 0, home.verifiers)
            sizes.set(url, answer.size)
            if (answer.size > offer.size) await checkNotRolledBack(ports, answer.size)
            return answer.signatures
          } catch (error) {
            if (!isAmpereError(error)) throw error
            failed.push({ url: asked.url, code: error.code, why: error.message })
            return []
          }
        }),
      )
      const note = formatNote(withSignatures(parseNote(before.note), gathered.flat()))
      return { outcome: 'asked', satisfied: await keep(ports, home, policy, row, note), failed }
    },
  }
}

interface State {
  readonly note: string
  readonly checkpoint: Checkpoint
  readonly satisfied: boolean
  /** POSIX seconds of the oldest cosignature of the policy's witnesses. */
  readonly oldest: number
}

async function stateOf({ verifiers }: Pick<Home, 'verifiers'>, policy: Policy, row: Row): Promise<State> {
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
    oldest: Math.min(...cosignatures.map(({ time }) => time)),
  }
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

/**
 * Publishes the cosigned checkpoint unless a larger one was published meanwhile, and keeps it for receipts if it is the
 * first of its size that has the quorum.
 */
async function keep(
  { tables }: CosignerPorts,
  home: Pick<Home, 'verifiers'>,
  policy: Policy,
  row: Row,
  note: string,
): Promise<boolean> {
  const value = utf8(note)
  const { satisfied, checkpoint } = await stateOf(home, policy, { ...row, value })
  if (satisfied) await tables.checkpoints.insert(WITNESSED_PARTITION, heightKey(checkpoint.size), value)
  if (note !== fromUtf8(row.value))
    await tables.checkpoints.swap(LOG_PARTITION, PUBLISHED_KEY, row.version, value)
  return satisfied
}
