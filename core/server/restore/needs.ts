// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What restoring a home uses: all of it, once, before anything is served. */
export const RESTORE_NEEDS = {
  tables: {
    blocks: 'write',
    states: 'write',
    wraps: 'write',
    packages: 'write',
    labels: 'write',
    chains: 'write',
    jobs: 'write',
    receipts: 'write',
    registry: 'write',
    checkpoints: 'write',
    leaves: 'append',
    dirty: 'append',
  },
  objects: { entries: 'shred', log: 'shred' },
  keys: { head: 'sign', log: 'sign', 'log-quantum': 'sign' },
} as const
export type RestorePorts = Ports<typeof RESTORE_NEEDS>
