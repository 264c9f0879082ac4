// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../../errors.ts'
import {
  formatCosignatures,
  formatSizeBody,
  parseAddCheckpoint,
  SIZE_MEDIA_TYPE,
  type AddCheckpoint,
} from '../../log/add-checkpoint.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { formatNote, parseNote, withSignatures, type SignedNote } from '../../log/note/note.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import { cosign } from './cosign.ts'
import { keepEvidence } from './evidence.ts'
import { judge, type Judgement } from './judge.ts'
import { loadLog, logIdOf, swapLog, type LoadedLog, type WitnessedLog } from './log-row.ts'
import type { Witness, WitnessPorts } from './needs.ts'

/** An answer of c2sp.org/tlog-witness, ready to be sent. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly type: string
  /** With 200 the cosignature lines, with 409 the size that was cosigned, else what is wrong in one line. */
  readonly body: string
}

/** Content type of every answer but 409. */
export const WITNESS_TEXT_TYPE = 'text/plain; charset=utf-8'
/** How often a request is judged anew because another one was first; far more than logs have submitters. */
const MAX_ATTEMPTS = 16

/**
 * Cosigns a checkpoint of a known log that continues what was cosigned before, c2sp.org/tlog-witness "add-checkpoint".
 *
 * What is answered with 200 is durable: one swap of one row both checks that nothing else was cosigned in the meantime
 * and stores what is. After an error it may be stored; the log asks again and is told the size.
 * @throws AmpereError STORE_UNAVAILABLE, STORE_FULL, STORE_CORRUPT, KEY_UNAVAILABLE
 */
export async function addCheckpoint(
  ports: WitnessPorts,
  witness: Witness,
  body: Uint8Array,
): Promise<WitnessAnswer> {
  const request = parsed(body)
  if (!request) return refuse(400, 'the request is not well-formed')
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const answer = await attemptToAdd(ports, witness, request)
    if (answer) return answer
  }
  throw new AmpereError('STORE_UNAVAILABLE', 'other requests for this log were always first')
}

/** Null when another request was first: what was judged is not what is stored any more. */
async function attemptToAdd(
  ports: WitnessPorts,
  witness: Witness,
  request: AddCheckpoint,
): Promise<WitnessAnswer | null> {
  const checkpoint = checkpointIn(request.note)
  const loaded = await loadLog(ports.tables.witness, logIdOf(checkpoint.origin))
  if (!loaded || loaded.log.keys.length === 0) return refuse(404, 'no such log is known here')
  const note = await signedByLog(loaded.log, request.note, witness)
  if (!note) return refuse(403, 'the checkpoint is not signed by a known key of its log, or not well')
  const { cosigned } = loaded.log
  const judgement = judge(cosigned?.checkpoint ?? null, request, checkpoint)
  if (judgement.contradiction) await keepContradiction(ports, loaded.log, judgement, note)
  if (!judgement.refusal) return store(ports, witness, loaded, note)
  const { status, reason } = judgement.refusal
  if (status !== 409) return refuse(status, reason)
  return { status, type: SIZE_MEDIA_TYPE, body: formatSizeBody(cosigned?.checkpoint.size ?? 0) }
}

async function store(
  ports: WitnessPorts,
  { name, dated = ports.now }: Witness,
  { log, version }: LoadedLog,
  note: SignedNote,
): Promise<WitnessAnswer | null> {
  const { cosigned, signatures, isNew } = await cosign({ ...ports, now: dated }, name, log.cosigned, note)
  // Signed, but nobody has it before it is stored; what loses here is dropped.
  if (isNew && !(await swapLog(ports.tables.witness, version, { ...log, cosigned }))) return null
  return { status: 200, type: WITNESS_TEXT_TYPE, body: formatCosignatures(signatures) }
}

function parsed(body: Uint8Array): AddCheckpoint | null {
  try {
    return parseAddCheckpoint(body)
  } catch (error) {
    if (isAmpereError(error, 'LOG_MALFORMED')) return null
    throw error
  }
}

/** The note with the signatures of the log's keys alone, all verified, one by each; null unless one signed. */
async function signedByLog(
  { keys }: WitnessedLog,
  text: string,
  { verifiers }: Witness,
): Promise<SignedNote | null> {
  try {
    const note = parseNote(text)
    await openCheckpoint(note, { logs: keys, cosigners: [] }, verifiers)
    const known = note.signatures.filter(({ name, id }) =>
      keys.some((key) => key.name === name && key.id === id),
    )
    return withSignatures({ text: note.text, signatures: [] }, known)
  } catch (error) {
    if (isAmpereError(error, 'SIGNATURE_INVALID')) return null
    throw error
  }
}

async function keepContradiction(
  { tables, now }: WitnessPorts,
  { origin, cosigned }: WitnessedLog,
  { contradiction }: Judgement,
  note: SignedNote,
): Promise<void> {
  if (!cosigned || !contradiction) return
  const notes = { cosigned: formatNote(cosigned.note), refused: formatNote(note) }
  await keepEvidence(tables.witness, now(), { kind: contradiction, origin, ...notes })
}

function refuse(status: 400 | 403 | 404 | 422, reason: string): WitnessAnswer {
  return { status, type: WITNESS_TEXT_TYPE, body: `${reason}\n` }
}
