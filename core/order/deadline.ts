// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

/** A signal that aborts after so many milliseconds; tests bring one that they abort themselves. */
export type Deadline = (ms: number) => AbortSignal

/**
 * What `work` gives, unless `signal` aborts first; what `fetch` does with a signal is not relied on.
 * @throws AmpereError UPSTREAM_FAILED when it does, saying that `who` did not answer in time
 */
export function before<T>(work: Promise<T>, signal: AbortSignal, who: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new AmpereError('UPSTREAM_FAILED', `${who} did not answer in time`))
    const settled = () => signal.removeEventListener('abort', late)
    signal.addEventListener('abort', late, { once: true })
    if (signal.aborted) late()
    work.then(resolve, reject).finally(settled)
  })
}
