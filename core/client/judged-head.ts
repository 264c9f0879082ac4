// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '../bytes/timestamp.ts'
import { AmpereError } from '../errors.ts'
import type { ClientPorts } from './client.ts'
import type { Replica } from './read/replica.ts'

/** How long another process may take between two blocks of a batch, in milliseconds; after that it is taken for dead. */
const UNFINISHED_MS = 60_000

/**
 * What was judged at one head may be appended to that head alone: what another process of this app instance filed since was not
 * looked at. Of a batch that it is in the middle of nothing is shown yet, so nobody can judge by it.
 * @param own batches that this process began, and that ended
 * @throws AmpereError HEAD_CONFLICT, STORE_UNAVAILABLE
 */
export function checkJudged(
  { identity, now }: Pick<ClientPorts, 'identity' | 'now'>,
  replica: Replica,
  after: number,
  own: ReadonlySet<string>,
): void {
  checkHead(replica, after)
  const last = replica.notes.findLast(({ kid, entries }) => kid === identity.signer.kid && entries !== null)
  const batch = last?.entries?.batch ?? null
  if (!last || batch === null || batch.last || own.has(batch.id)) return
  if (now() - timestampMs(last.time) >= UNFINISHED_MS) return
  throw new AmpereError('STORE_UNAVAILABLE', 'another process is appending to this chain; try again')
}

/** @throws AmpereError HEAD_CONFLICT */
export function checkHead({ head }: Replica, after: number): void {
  if (head.height === after) return
  throw new AmpereError('HEAD_CONFLICT', `the chain moved on from height ${after}; nothing was appended`)
}
