// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { logOriginOf } from '../../api/log.ts'
import { decodeLeaf } from '../../block/leaf.ts'
import { AmpereError } from '../../errors.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { verifyCheckpointSignature } from '../../log/note/cosignature.ts'
import { logKeyOfJwk, type LogKey } from '../../log/note/key.ts'
import { formatNote, parseNote } from '../../log/note/note.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import type { Home } from '../home.ts'
import { copyLog, checkAgainst, entriesOf, type LogContext } from '../copy/copy-log.ts'
import { copyWitnessed } from '../copy/copy-witnessed.ts'
import type { HomeSource } from '../copy/source.ts'
import { commitTree, loadTree, type Tree } from '../sequence/tree.ts'
import type { RestorePorts } from './needs.ts'

/** The restored log, and where in it blocks are. */
export interface RestoredLog {
  readonly size: number
  /** When the log signed that tree, by its keys. */
  readonly signedAt: Timestamp
  /** Index and hash of each log entry, by its label in base64url; what was found is removed. */
  readonly places: Map<string, { readonly index: number; readonly hash: Uint8Array }>
  /** Sizes of the checkpoints that the copy has as witnessed, and that lack the quorum of the home's policy. */
  readonly unwitnessed: readonly number[]
}

/**
 * Puts back the log up to the newest checkpoint of the copy, so that it goes on from there and from nowhere else. The
 * committed tree comes first: from then on a sequencer that finds anything missing refuses to sign.
 * @param seen checkpoints of this log that witnesses, or anybody, kept
 * @param policy of the home; null where nobody witnesses
 * @throws AmpereError KEY_UNAVAILABLE when the key file is not that of this log; VERIFICATION_FAILED, rule `log-ahead`, when
 * the log signed more than the copy has: from there on it could only fork
 */
export async function restoreLog(
  source: HomeSource,
  ports: RestorePorts,
  home: Pick<Home, 'origin' | 'verifiers'>,
  seen: readonly string[],
  policy: Policy | null,
): Promise<RestoredLog> {
  const context = { ...contextOf(ports, home), policy }
  const note = await source.checkpoint()
  if (note === null) throw new AmpereError('NOT_FOUND', 'the copy has no log of this home')
  const tree = await treeOf(note, context)
  const before = await loadTree(ports.tables.checkpoints)
  if (before && before.tree.note !== tree.note)
    throw new AmpereError('ALREADY_EXISTS', 'what is there is of another log, or of another time; begin anew')
  if (!before) await commitTree(ports.tables.checkpoints, null, tree)
  await copyLog(source, ports, context)
  const { size } = tree.checkpoint
  const { unwitnessed } = await copyWitnessed(source, ports, context, size)
  for (const other of seen) await checkAgainst(ports, size, other, context)
  const places: RestoredLog['places'] = new Map()
  let index = 0
  for await (const entry of entriesOf(ports, size)) {
    const { label, hash } = decodeLeaf(entry)
    const name = toBase64url(label)
    if (places.has(name))
      throw new AmpereError('VERIFICATION_FAILED', 'rule log-forked: a label occurs twice')
    places.set(name, { index: index++, hash: hash.slice() })
  }
  return { size, signedAt: toTimestamp(tree.signedAt * 1000), places, unwitnessed }
}

/** The keys of the key file are the pins: what they did not sign is not this home's log. */
function contextOf(
  { keys }: RestorePorts,
  { origin, verifiers }: Pick<Home, 'origin' | 'verifiers'>,
): Omit<LogContext, 'policy'> {
  const name = logOriginOf(origin)
  const logKeys = [
    logKeyOfJwk(name, 'Ed25519', keys.log.publicKey),
    logKeyOfJwk(name, 'cosignature-ML-DSA-44', keys['log-quantum'].publicKey),
  ]
  return { origin: name, keys: logKeys, verifiers }
}

/** What was committed when the checkpoint was published: without cosignatures, and with nothing left to apply. */
async function treeOf(note: string, { keys, verifiers }: Omit<LogContext, 'policy'>): Promise<Tree> {
  const { text, signatures } = parseNote(note)
  const own = signatures.filter((signature) => keys.some((key) => isBy(key, signature)))
  let signedAt = 0
  for (const key of keys) {
    const signature = own.find((each) => isBy(key, each))
    const verified = signature && (await verifyCheckpointSignature(key, text, signature, verifiers))
    if (!verified)
      throw new AmpereError(
        'KEY_UNAVAILABLE',
        'the key file is not that of this log: its keys did not sign the copy',
      )
    signedAt = Math.max(signedAt, verified.time ?? 0)
  }
  return {
    checkpoint: checkpointIn(note),
    note: formatNote({ text, signatures: own }),
    signedAt,
    staging: null,
    discard: null,
    pastSizes: [],
    // Whatever is marked in the restored home is looked at.
    cursor: toTimestamp(0),
  }
}

function isBy(key: LogKey, signature: { readonly name: string; readonly id: number }): boolean {
  return signature.name === key.name && signature.id === key.id
}
