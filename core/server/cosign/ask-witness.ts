// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import { formatAddCheckpoint, parseCosignatures, parseSizeBody } from '../../log/add-checkpoint.ts'
import { verifyCheckpointSignature } from '../../log/note/cosignature.ts'
import type { LogKey } from '../../log/note/key.ts'
import { MAX_NOTE_BYTES, type NoteSignature } from '../../log/note/note.ts'
import { ask, type Answer } from '../../order/ask.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Fetch } from '../../ports/keys.ts'

/** How long a witness may take to answer, in milliseconds. */
export const WITNESS_TIMEOUT_MS = 5_000

/** A checkpoint that is to be cosigned. */
export interface Offer {
  readonly note: string
  /** Text of the note, which cosignatures are of. */
  readonly text: string
  readonly size: number
  /** Consistency proof from a size that a witness has; empty for 0 and for the same size. */
  readonly proofFrom: (oldSize: number) => Promise<readonly Uint8Array[]>
}

/** One witness as it is asked: a submission URL and the keys that answer there. */
export interface Asked {
  readonly url: string
  readonly keys: readonly LogKey[]
}

/** What came of asking. */
export interface Answered {
  /** Cosignatures that verify, by keys that were expected. */
  readonly signatures: readonly NoteSignature[]
  /** What the witness has now, as far as it said. */
  readonly size: number
  /** It will not: the checkpoint does not continue what it cosigned (422). */
  readonly isRefused: boolean
}

/**
 * Asks a witness to cosign, c2sp.org/tlog-witness: from the size that it is thought to have, and once more from the
 * size that it says it has.
 * @throws AmpereError UPSTREAM_FAILED whatever is wrong; the message says which answer it was, and nothing that it said
 */
export async function askWitness(
  ports: { readonly fetch: Fetch; readonly deadline: Deadline },
  { url, keys }: Asked,
  offer: Offer,
  knownSize: number,
  verifiers: Verifiers,
): Promise<Answered> {
  let oldSize = Math.min(knownSize, offer.size)
  for (const isLast of [false, true]) {
    const hashes = oldSize === 0 || oldSize === offer.size ? [] : await offer.proofFrom(oldSize)
    const body = formatAddCheckpoint({ oldSize, hashes, note: offer.note })
    const { status, bytes } = await post(ports, url, body)
    if (status === 200) {
      const signatures = await verified(keys, offer, bytes, verifiers)
      return { signatures, size: offer.size, isRefused: false }
    }
    if (status === 422) return { signatures: [], size: oldSize, isRefused: true }
    if (status !== 409 || isLast) throw failed(`the witness answered ${status}`)
    const size = sizeOf(bytes)
    // It was here with a later checkpoint: what was asked for is of no use to it any more.
    if (size > offer.size) return { signatures: [], size, isRefused: false }
    oldSize = size
  }
  throw failed('the witness answered 409 twice')
}

function post(
  { fetch, deadline }: { readonly fetch: Fetch; readonly deadline: Deadline },
  url: string,
  body: string,
): Promise<Answer> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' }
  const request = {
    url: `${url.replace(/\/$/, '')}/add-checkpoint`,
    init: { method: 'POST', body: utf8(body), headers },
  }
  const first = deadline(WITNESS_TIMEOUT_MS)
  return ask(fetch, request, {
    who: WHO,
    first,
    limits: () => ({ maxBytes: MAX_NOTE_BYTES, beyond: 'fail' }),
  })
}

/** Who is asked, in messages. */
const WHO = 'the witness'

function sizeOf(bytes: Uint8Array): number {
  try {
    return parseSizeBody(bytes)
  } catch (cause) {
    throw failed('the witness answered 409 without a size', cause)
  }
}

async function verified(
  keys: readonly LogKey[],
  { text }: Offer,
  bytes: Uint8Array,
  verifiers: Verifiers,
): Promise<readonly NoteSignature[]> {
  let given: readonly NoteSignature[]
  try {
    given = parseCosignatures(bytes)
  } catch (cause) {
    throw failed('the witness answered with no cosignatures', cause)
  }
  const good: NoteSignature[] = []
  for (const key of keys) {
    const signature = given.find(({ name, id }) => name === key.name && id === key.id)
    const time = signature && (await verifyCheckpointSignature(key, text, signature, verifiers))
    // tlog-witness: a cosignature of a checkpoint has a time.
    if (signature && time && time.time !== 0) good.push(signature)
  }
  if (good.length === 0) throw failed('the witness answered without a cosignature that verifies')
  return good
}

function failed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('UPSTREAM_FAILED', what, { cause })
}
