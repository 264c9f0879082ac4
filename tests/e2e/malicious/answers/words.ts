// SPDX-License-Identifier: Apache-2.0
import type { Kind } from './parts.ts'

const UNREADABLE = 'UPSTREAM_FAILED'
const BAD_RECEIPTS = ['receipt', 'label'].flatMap((rule) => {
  const said = `tampered ${rule}, witnessed is promised`
  // That of a request to erase: then nobody saw since when its completion waited.
  return [said, `suspect delay-unseen, ${said}`]
})

/**
 * What a reader says of an answer in which one bit is another, by what it answers: a refusal, the words of what it shows
 * instead, or `same` where it concludes what it does of the honest answer.
 */
export const WORDS: Readonly<Record<Kind, readonly string[]>> = {
  registry: [UNREADABLE, 'JWS_MALFORMED', 'SIGNATURE_INVALID', 'BLOCK_MALFORMED'],
  // The head's block comes beside the statement, and no reader takes it from there.
  head: [
    UNREADABLE,
    'JWS_MALFORMED',
    'SIGNATURE_INVALID',
    'REQUEST_MALFORMED',
    'VERIFICATION_FAILED rule head',
    'same',
  ],
  blocks: [UNREADABLE, 'VERIFICATION_FAILED rule malformed', 'VERIFICATION_FAILED rule signature'],
  // For another reader's, or of another epoch, it is none of this reader's.
  // A page that does not say where it goes on is the last one, as this is.
  packages: [UNREADABLE, 'unopenable package', 'missing package', 'same'],
  // What was erased the chain says, and not the tombstone.
  'key row': ['tampered keys-root', 'same'],
  // What is sealed of an entry whose key is destroyed says nothing to anybody.
  object: ['tampered entries-root', 'tampered entry-hash', 'erased , tampered entries-root', 'same'],
  // With another name or id a cosignature is nobody's; the quorum has another.
  receipt: [UNREADABLE, ...BAD_RECEIPTS, 'same'],
  'registry receipt': [
    UNREADABLE,
    'VERIFICATION_FAILED rule receipt',
    'VERIFICATION_FAILED rule label',
    'same',
  ],
  'block of the registry': [
    UNREADABLE,
    'JWS_MALFORMED',
    'VERIFICATION_FAILED rule registry',
    'VERIFICATION_FAILED rule receipt',
  ],
  lookup: ['complete: too-few, failed', 'same'],
  // A page that does not say what comes next is the last.
  erasures: [UNREADABLE, 'not stated', 'same'],
}
