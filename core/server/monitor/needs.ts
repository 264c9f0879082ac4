// SPDX-License-Identifier: Apache-2.0
import type { Verifiers } from '../../crypto/signature.ts'
import type { Policy } from '../../log/policy/policy.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Ports } from '../../ports/needs.ts'

/** What copying the logs of others uses: its own table, and no key, because it reads what strangers send. */
export const MONITOR_NEEDS = { tables: { monitored: 'write' }, objects: {}, keys: {} } as const
export type MonitorPorts = Ports<typeof MONITOR_NEEDS>

/** What answering lookups uses: the copied labels, and the key for statements of the home. */
export const LOOKUP_NEEDS = { tables: { monitored: 'read' }, objects: {}, keys: { head: 'sign' } } as const
export type LookupPorts = Ports<typeof LOOKUP_NEEDS>

/** A log that is monitored, as the operator says; nothing that the log answers can change it. */
export interface WatchedLog {
  readonly origin: string
  /** Where it is served: `checkpoint` and `tile/...` are below it. */
  readonly url: string
  /** Keys of the log of which one must have signed, and whose cosignatures its checkpoints should have. */
  readonly policy: Policy
}

/** What a monitor has beside its ports. */
export interface Monitor {
  readonly verifiers: Verifiers
  readonly deadline: Deadline
  /** Slices of one run at most, `MAX_SLICES` where it is left out: it ends, however large a log is, and the next one goes on. */
  readonly slices?: number
}
