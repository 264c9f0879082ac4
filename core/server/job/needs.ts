// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What doing jobs uses: what appending and what auditing uses, and the jobs themselves. It offers no uploads. */
export const WORKER_NEEDS = {
  tables: {
    blocks: 'append',
    states: 'append',
    wraps: 'append',
    packages: 'append',
    labels: 'append',
    chains: 'append',
    dirty: 'append',
    jobs: 'write',
    receipts: 'read',
    quotas: 'write',
    registry: 'read',
    leaves: 'read',
    checkpoints: 'append',
    audits: 'write',
  },
  objects: { entries: 'store', log: 'fetch', uploads: 'shred' },
  keys: { head: 'sign' },
} as const
export type WorkerPorts = Ports<typeof WORKER_NEEDS>
