// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import { AmpereError } from '../../errors.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import type { LogKey } from '../../log/note/key.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { COSIGNER_AHEAD_SECONDS, quorumTime } from '../../log/policy/quorum-time.ts'
import { isWitnessed } from '../../log/policy/witnessed.ts'
import type { Row } from '../../ports/table.ts'
import type { Home } from '../home.ts'

/** An idle log has its checkpoint cosigned anew when the quorum's time is this long ago, in seconds. */
export const REFRESH_SECONDS = 3600

/** What a stored checkpoint has of the cosignatures of a policy. */
export interface State {
  readonly note: string
  readonly checkpoint: Checkpoint
  /** Whether readers with that policy accept it as witnessed. */
  readonly satisfied: boolean
  /** POSIX seconds since when the quorum stands behind it. */
  readonly since: number | null
  /** POSIX seconds of each cosignature of the policy's witnesses. */
  readonly times: ReadonlyMap<LogKey, number>
}

/** @throws AmpereError CONFIGURATION when the policy does not have the keys of this log */
export async function stateOf(
  { verifiers }: Pick<Home, 'verifiers'>,
  policy: Policy,
  row: Row,
  nowSeconds: number,
): Promise<State> {
  const note = fromUtf8(row.value)
  const found = await opened(policy, note, verifiers)
  const { checkpoint, cosignatures } = found
  return {
    note,
    checkpoint,
    satisfied: policy.quorum !== null && isWitnessed(policy, found),
    since: quorumTime(policy, cosignatures, nowSeconds),
    times: new Map(cosignatures.map(({ key, time }) => [key, time])),
  }
}

/** Whether a cosignature of this time need not be renewed. */
export function isFresh(time: number | null, nowSeconds: number): boolean {
  if (time === null || time > nowSeconds + COSIGNER_AHEAD_SECONDS) return false
  return nowSeconds - time < REFRESH_SECONDS
}

/** Whether all keys of a witness cosigned lately; those of a policy are the ones that what it cosigned is opened with. */
export function hasFresh(times: State['times'], keys: readonly LogKey[], nowSeconds: number): boolean {
  return keys.every((key) => isFresh(times.get(key) ?? null, nowSeconds))
}

/** @throws AmpereError CONFIGURATION when the policy does not have the keys of this log */
async function opened(policy: Policy, note: string, verifiers: Home['verifiers']) {
  const keys = {
    logs: policy.logs.map(({ key }) => key),
    cosigners: policy.witnesses.map(({ key }) => key),
  }
  try {
    return await openCheckpoint(note, keys, verifiers)
  } catch (cause) {
    throw new AmpereError('CONFIGURATION', 'the policy does not have the keys of this log', { cause })
  }
}
