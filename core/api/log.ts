// SPDX-License-Identifier: Apache-2.0

/** Path below a home's origin where its log is served. */
export const LOG_PREFIX = '/log'

/** Name of a home's log, in checkpoints and of its keys: the URL of the log without its scheme (c2sp.org/tlog-checkpoint). */
export function logOriginOf(origin: string): string {
  return `${origin.replace(/^https?:\/\//, '')}${LOG_PREFIX}`
}
