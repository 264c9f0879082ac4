// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import { logIdOf } from '../../api/log.ts'
import { isAmpereError } from '../../errors.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import type { LogKey } from '../../log/note/key.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import { MAX_NOTE_BYTES } from '../../log/note/note.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { quorumOf } from '../../log/policy/quorum.ts'
import { ask } from '../../order/ask.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Fetch } from '../../ports/keys.ts'
import type { Home } from '../home.ts'
import { WITNESS_TIMEOUT_MS } from './ask-witness.ts'

/** Witnesses that may show that this home is behind, by URL. */
export interface Contradicting {
  /** They say that they cosigned a larger tree. */
  readonly ahead: ReadonlySet<string>
  /** Those that are asked now what they have. */
  readonly asked: ReadonlySet<string>
}

/** What this home has. */
export interface OwnLog {
  readonly origin: string
  /** All with which it signs. */
  readonly keys: readonly LogKey[]
  /** Leaves of the committed tree, as it is when it is asked. */
  readonly size: () => Promise<number>
  /** Root of its first `size` leaves; null where the store does not tell. */
  readonly rootAt: (size: number) => Promise<Uint8Array | null>
}

/**
 * Whether this home's stores are older than what it signed, as far as witnesses tell. One that shows a larger tree, or one
 * with another root, signed by the log itself, proves it. That some are ahead is believed without proof where the quorum
 * cannot be had without them: those could keep the log from ever being witnessed by their silence as well.
 */
export async function isBehind(
  ports: { readonly fetch: Fetch; readonly deadline: Deadline },
  { verifiers }: Pick<Home, 'verifiers'>,
  policy: Policy,
  { ahead, asked }: Contradicting,
  own: OwnLog,
): Promise<Verdict> {
  const others = policy.witnesses.filter(({ url }) => url === null || !ahead.has(url))
  const left = others.map(({ key }) => key)
  const isBlocked = ahead.size > 0 && policy.quorum !== null && !quorumOf(policy, left).satisfied
  const contradicting = async (url: string): Promise<Checkpoint | null> => {
    const shown = await shownBy(ports, { verifiers }, url, own)
    return shown && (await contradicts(own, shown)) ? shown : null
  }
  const proofs = await Promise.all([...asked].map(contradicting))
  return { isBlocked, proof: proofs.find((each) => each !== null) ?? null }
}

/** What witnesses tell. */
export interface Verdict {
  /** The quorum cannot be had without those that say that they are ahead. */
  readonly isBlocked: boolean
  /** A tree that the log signed, and that this home does not have. */
  readonly proof: Checkpoint | null
}

/** Whether a tree that the log signed is none that this home has. */
export async function contradicts(own: OwnLog, { size, root }: Checkpoint): Promise<boolean> {
  // Asked after the answer came: whoever answers late knows what was published meanwhile.
  if (size > (await own.size())) return true
  const ours = await own.rootAt(size)
  return ours !== null && !equalBytes(ours, root)
}

/** The newest tree of this log that a witness shows; null where it shows none that the log signed with all its keys. */
async function shownBy(
  { fetch, deadline }: { readonly fetch: Fetch; readonly deadline: Deadline },
  { verifiers }: Pick<Home, 'verifiers'>,
  url: string,
  { origin, keys }: OwnLog,
): Promise<Checkpoint | null> {
  const at = `${url.replace(/\/$/, '')}/${logIdOf(origin)}/checkpoint`
  const how = {
    who: 'the witness',
    first: deadline(WITNESS_TIMEOUT_MS),
    limits: () => ({ maxBytes: MAX_NOTE_BYTES, beyond: 'fail' }) as const,
  }
  try {
    const { ok, bytes } = await ask(fetch, { url: at, init: {} }, how)
    if (!ok) return null
    const { checkpoint } = await openCheckpoint(
      bytes,
      { logs: keys, cosigners: [], eachType: true },
      verifiers,
    )
    return checkpoint.origin === origin ? checkpoint : null
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}
