// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import { concat, equalBytes, uint64 } from '../../bytes/frame.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { merkleRoot } from '../merkle.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { LOG_KEY_TYPES, MAX_NAME_BYTES, publicJwkOf, type LogKey, type LogSigner } from './key.ts'
import { HASH_BYTES, malformed, writeDecimal } from './lines.ts'
import type { NoteSignature } from './note.ts'

/** A part of a log's tree: the leaves from `start` to before `end`; from 0 to the size it is a checkpoint's tree. */
export interface Subtree {
  readonly origin: string
  readonly start: number
  readonly end: number
  /** Root of the part, 32 bytes. */
  readonly hash: Uint8Array
}

/** A signature that verified. */
export interface Verified {
  /** POSIX seconds; null for a signature type without a time; 0 claims nothing about when, or what was largest. */
  readonly time: number | null
}

const SUBTREE_LABEL = utf8('subtree/v1\n\0')
const TIME_BYTES = 8

/** What an Ed25519 cosignature signs, c2sp.org/tlog-cosignature: the whole text, and not who cosigns. */
export function cosignatureMessage(text: string, time: number): Uint8Array<ArrayBuffer> {
  return utf8(`cosignature/v1\ntime ${writeDecimal(time, 'the time of a cosignature')}\n${text}`)
}

/**
 * What an ML-DSA-44 cosignature signs, c2sp.org/tlog-cosignature; of a checkpoint's text only origin, size and root.
 * Whether a tree has such a subtree is not looked at.
 * @throws AmpereError LOG_MALFORMED, also for a time with a subtree that does not begin at leaf 0
 */
export function subtreeMessage(cosigner: string, time: number, subtree: Subtree): Uint8Array<ArrayBuffer> {
  const { origin, start, end, hash } = subtree
  for (const value of [time, start, end]) writeDecimal(value, 'a number of a subtree cosignature')
  if (start > end) throw malformed('a subtree ends before it begins')
  // "The largest tree that I have seen" is about whole trees only.
  if (start > 0 && time > 0) throw malformed('a cosignature of a part of a tree has a time')
  if (hash.length !== HASH_BYTES) throw malformed(`the hash of a subtree is not ${HASH_BYTES} bytes`)
  return concat(
    SUBTREE_LABEL,
    shortString(cosigner),
    uint64(time),
    shortString(origin),
    uint64(start),
    uint64(end),
    hash,
  )
}

/**
 * Signs the text of a checkpoint's note.
 * @param time POSIX seconds, at least 1; not part of an `Ed25519` signature
 * @throws AmpereError LOG_MALFORMED for a text that is no checkpoint or a time that is none, KEY_UNAVAILABLE
 */
export async function signCheckpointText(
  signer: LogSigner,
  text: string,
  time: number,
): Promise<NoteSignature> {
  if (!Number.isSafeInteger(time) || time < 1) throw malformed('a checkpoint is signed at no time')
  const { key } = signer
  const { size, root } = parseCheckpoint(text)
  if (size === 0) checkEmptyRoot(root)
  const made = await signer.sign(messageOf(key, text, time))
  return noteSignature(key, key.type === 'Ed25519' ? made : concat(uint64(time), made))
}

/**
 * Whether a signature with the key's name and id is one of the key over the text of a checkpoint's note.
 * @returns null when it is not
 * @throws AmpereError LOG_MALFORMED for a text that is no checkpoint
 */
export async function verifyCheckpointSignature(
  key: LogKey,
  text: string,
  signature: NoteSignature,
  verifiers: Verifiers,
): Promise<Verified | null> {
  const parts = partsOf(key, signature)
  if (parts === null) return null
  return verify(key, messageOf(key, text, parts.time ?? 0), parts, verifiers)
}

/**
 * Cosigns a part of a tree.
 * @param time POSIX seconds; 0 for a part that does not begin at leaf 0, or where nothing is claimed about time
 * @throws AmpereError LOG_MALFORMED, also for a key that is not of ML-DSA-44; KEY_UNAVAILABLE
 */
export async function signSubtree(signer: LogSigner, subtree: Subtree, time: number): Promise<NoteSignature> {
  const { key } = signer
  checkSubtree(key, subtree)
  const made = await signer.sign(subtreeMessage(key.name, time, subtree))
  return noteSignature(key, concat(uint64(time), made))
}

/**
 * Whether a signature is the key's over a part of a tree.
 * @returns null when it is not
 * @throws AmpereError LOG_MALFORMED for what is no part of a tree or a key that is not of ML-DSA-44
 */
export async function verifySubtree(
  key: LogKey,
  subtree: Subtree,
  signature: NoteSignature,
  verifiers: Verifiers,
): Promise<Verified | null> {
  checkSubtree(key, subtree)
  const parts = partsOf(key, signature)
  if (parts === null || (subtree.start > 0 && parts.time !== 0)) return null
  return verify(key, subtreeMessage(key.name, parts.time ?? 0, subtree), parts, verifiers)
}

interface Parts {
  readonly time: number | null
  readonly signature: Uint8Array
}

async function verify(
  key: LogKey,
  message: Uint8Array,
  { time, signature }: Parts,
  verifiers: Verifiers,
): Promise<Verified | null> {
  const verifier = await verifiers.get(publicJwkOf(key))
  return (await verifier.verify(message, signature)) ? { time } : null
}

function messageOf(key: LogKey, text: string, time: number): Uint8Array {
  const { origin, size, root } = parseCheckpoint(text)
  if (key.type === 'Ed25519') return utf8(text)
  if (key.type === 'cosignature-Ed25519') return cosignatureMessage(text, time)
  return subtreeMessage(key.name, time, { origin, start: 0, end: size, hash: root })
}

/** Null for bytes that no key of that type makes, or that another key is said to have made. */
function partsOf(key: LogKey, { name, id, blob }: NoteSignature): Parts | null {
  if (name !== key.name || id !== key.id) return null
  const timeBytes = key.type === 'Ed25519' ? 0 : TIME_BYTES
  if (blob.length !== timeBytes + LOG_KEY_TYPES[key.type].signatureBytes) return null
  if (timeBytes === 0) return { time: null, signature: blob }
  const time = Number(new DataView(blob.buffer, blob.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(time) ? { time, signature: blob.subarray(TIME_BYTES) } : null
}

function noteSignature({ name, id }: LogKey, blob: Uint8Array): NoteSignature {
  return { name, id, blob }
}

/** A tree has the subtree if it begins at a multiple of the smallest power of two that holds its leaves. */
function checkSubtree(key: LogKey, { start, end, hash }: Subtree): void {
  if (key.type !== 'cosignature-ML-DSA-44')
    throw malformed('only ML-DSA-44 cosignatures are of parts of a tree')
  if (start === end) return checkEmptyRoot(hash)
  let width = 1
  while (width < end - start) width *= 2
  if (start % width !== 0) throw malformed('a tree has no subtree with that start and end')
}

/** What has no leaves has one root; another would be a statement about nothing. */
function checkEmptyRoot(root: Uint8Array): void {
  if (!equalBytes(root, merkleRoot([]))) throw malformed('an empty tree has another root')
}

/** opaque<1..2^8-1> of RFC 8446 section 3. */
function shortString(text: string): Uint8Array {
  const bytes = utf8(text)
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES)
    throw malformed(`a name is not 1 to ${MAX_NAME_BYTES} bytes`)
  return concat(Uint8Array.of(bytes.length), bytes)
}
