// SPDX-License-Identifier: Apache-2.0
import { logIdOf, logOriginOf } from '../../api/log.ts'
import { MAX_ANSWER_BYTES } from '../../api/limits.ts'
import { lookupAnswer, type LookupAnswer } from '../../api/lookup.ts'
import type { Digest } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { call } from '../answer.ts'
import { answered, readJson } from '../ask-home.ts'
import type { Connection } from '../connect.ts'

/** How long a monitor may take for its whole answer, in milliseconds: what it has not said by then says nothing. */
export const MONITOR_ANSWER_MS = 10_000

/**
 * Asks one monitor for a label in the home's log. Nothing of the answer is judged but its form.
 * @throws AmpereError UPSTREAM_FAILED, NOT_FOUND when the log is not monitored there
 */
export async function askMonitor(
  { ports }: Pick<Connection, 'ports'>,
  origin: string,
  label: Digest,
): Promise<LookupAnswer> {
  const url = new URL(`/v1/lookups/${logIdOf(logOriginOf(ports.pins.origin))}/${label}`, origin)
  const request = { url, init: {}, bytes: 0 }
  const deadline = ports.deadline ?? ((ms) => AbortSignal.timeout(ms))
  const outside = {
    fetch: ports.outside ?? ports.fetch,
    deadline: (ms: number) => deadline(Math.min(ms, MONITOR_ANSWER_MS)),
  }
  try {
    const answer = await call(outside, request, { maxBytes: MAX_ANSWER_BYTES.lookup, beyond: 'fail' })
    return parseWith(lookupAnswer, readJson(answered(answer)), 'UPSTREAM_FAILED', 'answer')
  } catch (cause) {
    if (!isAmpereError(cause, 'UPSTREAM_FAILED')) throw cause
    // The client asks homes; here it is the monitor that failed, and people are to look at that.
    throw new AmpereError('UPSTREAM_FAILED', cause.message.replace('the home', 'the monitor'), { cause })
  }
}
