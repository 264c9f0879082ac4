// SPDX-License-Identifier: Apache-2.0
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import { formatCheckpoint, parseCheckpoint, type Checkpoint } from './checkpoint.ts'
import { signCheckpointText, verifyCheckpointSignature } from './cosignature.ts'
import { isSameKey, type LogKey, type LogSigner } from './key.ts'
import { malformed } from './lines.ts'
import { formatNote, parseNote, type SignedNote } from './note.ts'

/** Whose signatures are verified; everybody else's are ignored. */
export interface KnownKeys {
  /** A key vouches for the origin that is its name, and for no other. */
  readonly logs: readonly LogKey[]
  /** Keys that cosign: of a type with a time. */
  readonly cosigners: readonly LogKey[]
  /**
   * Whether a log must have signed with a key of each type of which `logs` has one under its name; any one key is enough
   * where it is left out. Of several keys of one type one is enough.
   */
  readonly eachType?: boolean
}

/** A cosignature that verified. */
export interface Cosignature {
  readonly key: LogKey
  /** POSIX seconds. 0 in an ML-DSA-44 cosignature that claims nothing about time. */
  readonly time: number
}

/** A checkpoint that its log signed. */
export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint
  /** Keys of the log whose signatures verified; at least one. */
  readonly signedBy: readonly LogKey[]
  /** Times at which its log says that it signed, one for each such signature, in POSIX seconds; 0 says nothing and is left out. */
  readonly signedAt: readonly number[]
  /** One for each cosigner that cosigned; of several by one key the latest. */
  readonly cosignatures: readonly Cosignature[]
}

interface Known {
  readonly key: LogKey
  readonly isLog: boolean
}

/**
 * Opens a checkpoint by the rules for verifiers of c2sp.org/signed-note: signatures by unknown keys are ignored, one
 * of a known key that does not verify spoils the whole note, and a key of the log must have signed. Extension lines
 * must be covered by the log's signature too, which one of ML-DSA-44 does not.
 * @throws AmpereError LOG_MALFORMED for a note or for keys that are not well-formed; SIGNATURE_INVALID
 */
export async function openCheckpoint(
  note: string | Uint8Array | SignedNote,
  keys: KnownKeys,
  verifiers: Verifiers,
): Promise<OpenedCheckpoint> {
  const { text, signatures } = isSigned(note) ? parseNote(formatNote(note)) : parseNote(note)
  const checkpoint = parseCheckpoint(text)
  const known = knownKeys(keys)
  const signedBy = new Set<LogKey>()
  const signedAt: number[] = []
  const cosigned = new Map<LogKey, number>()
  // All at once: a host may verify them beside each other.
  const judged = await Promise.all(
    signatures.map(async (signature) => {
      const found = known.get(pairOf(signature))
      return (
        found && {
          ...found,
          verified: await verifyCheckpointSignature(found.key, text, signature, verifiers),
        }
      )
    }),
  )
  for (const each of judged) {
    if (!each) continue
    const { key, isLog, verified } = each
    if (!verified) throw invalid('a signature of a known key does not verify')
    if (isLog && key.name === checkpoint.origin) {
      signedBy.add(key)
      if (verified.time) signedAt.push(verified.time)
    }
    if (!isLog) cosigned.set(key, Math.max(verified.time ?? 0, cosigned.get(key) ?? 0))
  }
  if (signedBy.size === 0) throw invalid('a checkpoint is not signed by a known key of its log')
  if (keys.eachType && !hasEachType(keys.logs, { checkpoint, signedBy: [...signedBy] }))
    throw invalid('a checkpoint lacks a signature by one of the types of key of its log')
  if (checkpoint.extensions.length > 0 && ![...signedBy].some(coversExtensions))
    throw invalid('the extensions of a checkpoint are not signed by its log')
  const cosignatures = Array.from(cosigned, ([key, time]) => ({ key, time }))
  return { checkpoint, signedBy: [...signedBy], signedAt, cosignatures }
}

/**
 * Signs a checkpoint with every key of its log, each in the form of its type.
 * @param time POSIX seconds, for the types that have a time
 * @throws AmpereError LOG_MALFORMED, also for a signer whose name is not the origin; KEY_UNAVAILABLE
 */
export async function signCheckpoint(
  checkpoint: Checkpoint,
  signers: readonly LogSigner[],
  time: number,
): Promise<SignedNote> {
  const text = formatCheckpoint(checkpoint)
  if (signers.length === 0) throw malformed('a checkpoint has no signer')
  if (signers.some(({ key }) => key.name !== checkpoint.origin))
    throw malformed('a log signs under another name than its origin')
  const signatures = await Promise.all(signers.map((signer) => signCheckpointText(signer, text, time)))
  return { text, signatures }
}

/** True when the log of a checkpoint signed with a key of each type of which `logs` has one under its name. */
export function hasEachType(
  logs: readonly LogKey[],
  { checkpoint: { origin }, signedBy }: Pick<OpenedCheckpoint, 'checkpoint' | 'signedBy'>,
): boolean {
  const types = new Set(signedBy.map(({ type }) => type))
  return logs.every(({ name, type }) => name !== origin || types.has(type))
}

/** Known keys by name and id; two that share both could not be told apart. */
function knownKeys({ logs, cosigners }: KnownKeys): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>()
  const add = (key: LogKey, isLog: boolean): void => {
    const other = known.get(pairOf(key))
    if (other && !isSameKey(other.key, key)) throw malformed('two known keys share a name and a key ID')
    if (other && other.isLog !== isLog) throw malformed('a known key is both a log’s and a cosigner’s')
    if (!other) known.set(pairOf(key), { key, isLog })
  }
  for (const key of logs) add(key, true)
  for (const key of cosigners) {
    if (key.type === 'Ed25519') throw malformed('a cosigner has a key without a time')
    add(key, false)
  }
  return known
}

function coversExtensions(key: LogKey): boolean {
  return key.type !== 'cosignature-ML-DSA-44'
}

/** Names have no spaces. */
function pairOf({ name, id }: { readonly name: string; readonly id: number }): string {
  return `${name} ${id}`
}

function isSigned(note: string | Uint8Array | SignedNote): note is SignedNote {
  return typeof note !== 'string' && 'signatures' in note
}

function invalid(what: string): AmpereError {
  return new AmpereError('SIGNATURE_INVALID', what)
}
