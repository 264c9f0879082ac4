// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import type { OpenedRegistryBlock } from '../../registry/block.ts'
import { getRecord, type RegistryState } from '../../registry/state.ts'

/** How long before it expires an instance may renew itself, in milliseconds: 100 days, a quarter of the longest life. */
export const RENEWAL_WINDOW_MS = 100 * 86_400_000
/** By how much a renewal has to put the end off, in milliseconds: half a day, less than three quarters of the shortest life that commands give. */
export const MIN_RENEWAL_MS = 86_400_000 / 2

/**
 * Every home logs each registry block for ever, so nobody who has an instance's key may add them without end. A refusal here and
 * no law: what an honest home took stays valid.
 * @throws AmpereError LIMIT_EXCEEDED
 */
export function checkRenewal({ block, kid }: OpenedRegistryBlock, state: RegistryState | null): void {
  if (block.type !== 'change' || !state) return
  const renewal = block.body.changes.find((change) => change.act === 'renew')
  const key = getRecord(state, `key/${kid}`)
  if (renewal?.act !== 'renew' || key?.kind !== 'key' || !('instance' in key.owner)) return
  const instance = getRecord(state, `instance/${key.owner.instance}`)
  if (instance?.kind !== 'instance' || instance.expires === undefined) return
  const endMs = timestampMs(instance.expires)
  if (endMs - timestampMs(block.time) > RENEWAL_WINDOW_MS)
    throw new AmpereError('LIMIT_EXCEEDED', 'an instance renews itself in the last 100 days of its time')
  if (timestampMs(renewal.expires) - endMs < MIN_RENEWAL_MS)
    throw new AmpereError('LIMIT_EXCEEDED', 'a renewal puts the end off by half a day at least')
}
