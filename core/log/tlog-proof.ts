// SPDX-License-Identifier: Apache-2.0
import { toBase64 } from '../bytes/base64.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import { leafHash } from './merkle.ts'
import { checkCheckpointNote, type Checkpoint } from './note/checkpoint.ts'
import type { LogKey } from './note/key.ts'
import {
  malformed,
  readBase64,
  readDecimal,
  readLines,
  readProof,
  readText,
  writeDecimal,
  writeProof,
} from './note/lines.ts'
import { MAX_NOTE_BYTES } from './note/note.ts'
import {
  openCheckpoint,
  type Cosignature,
  type KnownKeys,
  type OpenedCheckpoint,
} from './note/open-checkpoint.ts'
import type { Policy } from './policy/definitions.ts'
import { quorumOf, type Quorum } from './policy/quorum.ts'
import { verifyInclusion } from './proof.ts'

/** Proof that an entry is in a log, for verification offline, c2sp.org/tlog-proof. */
export interface TlogProof {
  /** What the application put beside the proof; nothing vouches for it. Null where there is no such line. */
  readonly extra: Uint8Array | null
  /** Of the leaf, from 0. */
  readonly index: number
  /** From the leaf's sibling up, at most 63. */
  readonly hashes: readonly Uint8Array[]
  /** The checkpoint's note in exactly the bytes that it was issued in. */
  readonly note: string
}

/** What a proof shows under a policy. */
export interface VerifiedProof {
  readonly checkpoint: Checkpoint
  readonly index: number
  /** Keys of the log whose signatures verified; at least one. */
  readonly signedBy: readonly LogKey[]
  /** Of the policy's witnesses; those of time 0 are here and do not count for the quorum. */
  readonly cosignatures: readonly Cosignature[]
  readonly quorum: Quorum
}

/** Bytes of a proof: a note, its hashes, and as much of what the application puts beside it. */
export const MAX_TLOG_PROOF_BYTES = 2 * MAX_NOTE_BYTES

const HEADER = 'c2sp.org/tlog-proof@v1'
const EXTRA = 'extra '
const INDEX = 'index '

/**
 * Reads a proof; what it accepts, `formatTlogProof` writes in exactly the same bytes.
 * @throws AmpereError LOG_MALFORMED
 */
export function parseTlogProof(input: string | Uint8Array): TlogProof {
  const text = readText(input, MAX_TLOG_PROOF_BYTES, 'a tlog-proof')
  const end = text.indexOf('\n\n')
  if (end < 0) throw malformed('a tlog-proof has no empty line before its checkpoint')
  const [header, ...lines] = readLines(text.slice(0, end + 1), 'a tlog-proof')
  if (header !== HEADER) throw malformed('not a tlog-proof of version 1')
  const extra = lines[0]?.startsWith(EXTRA) ? readBase64(lines[0].slice(EXTRA.length), 'extra') : null
  const [index, ...hashes] = extra === null ? lines : lines.slice(1)
  if (!index?.startsWith(INDEX)) throw malformed('a tlog-proof has no index')
  return {
    extra,
    index: readDecimal(index.slice(INDEX.length), 'the index of a tlog-proof'),
    hashes: readProof(hashes),
    note: checkCheckpointNote(text.slice(end + 2)),
  }
}

/** Writes a proof. @throws AmpereError LOG_MALFORMED for what would not be read back as the same */
export function formatTlogProof({ extra, index, hashes, note }: TlogProof): string {
  const lines = [
    `${HEADER}\n`,
    extra === null ? '' : `${EXTRA}${toBase64(extra)}\n`,
    `${INDEX}${writeDecimal(index, 'the index of a tlog-proof')}\n`,
    writeProof(hashes),
    '\n',
    checkCheckpointNote(note),
  ]
  return readText(lines.join(''), MAX_TLOG_PROOF_BYTES, 'a tlog-proof')
}

/**
 * Verifies that `leaf` is in a log of the policy, and asks who cosigned. Too few is an answer and not an error: a
 * caller must look at `quorum.satisfied`.
 * @param leaf the bytes of the log entry, not their hash
 * @throws AmpereError LOG_MALFORMED; SIGNATURE_INVALID when no log of the policy signed, or a key of the policy did not
 * make the signature that names it; PROOF_INVALID when the leaf is not at that index
 */
export async function verifyTlogProof(
  proof: TlogProof,
  leaf: Uint8Array,
  policy: Policy,
  verifiers: Verifiers,
): Promise<VerifiedProof> {
  return verifyUnder(proof, leaf, policy, await openCheckpoint(proof.note, policyKeys(policy), verifiers))
}

/**
 * Whose signatures a policy asks for. Stricter than c2sp.org/tlog-policy, by which any one log's key would do: a home's
 * log signs with both of its types from its first tree on (docs/PROTOCOL.md section 11), so that one which leaves out the
 * one with the time hides when it signed.
 */
export function policyKeys(policy: Policy): KnownKeys {
  return {
    logs: policy.logs.map(({ key }) => key),
    cosigners: policy.witnesses.map(({ key }) => key),
    eachType: true,
  }
}

/**
 * The same for many proofs under one checkpoint, which `openCheckpoint` opened once with the policy's keys from the
 * note that each of them has.
 * @throws AmpereError PROOF_INVALID
 */
export function verifyUnder(
  { index, hashes }: Pick<TlogProof, 'index' | 'hashes'>,
  leaf: Uint8Array,
  policy: Policy,
  { checkpoint, signedBy, cosignatures }: OpenedCheckpoint,
): VerifiedProof {
  const { size, root } = checkpoint
  if (!verifyInclusion({ leaf: leafHash(leaf), index, size, proof: hashes, root }))
    throw new AmpereError('PROOF_INVALID', 'the leaf is not in the tree of the checkpoint at that index')
  // A witness states when it saw the tree; a cosignature without a time is no such statement.
  const cosigned = cosignatures.filter(({ time }) => time > 0).map(({ key }) => key)
  return { checkpoint, index, signedBy, cosignatures, quorum: quorumOf(policy, cosigned) }
}
