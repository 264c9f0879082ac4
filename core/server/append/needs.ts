// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What appending uses, and no more: the value behind its permissions. */
export const APPEND_NEEDS = {
  tables: {
    blocks: 'append',
    states: 'append',
    wraps: 'append',
    packages: 'append',
    labels: 'append',
    chains: 'append',
    dirty: 'append',
    jobs: 'append',
    quotas: 'write',
    registry: 'read',
    leaves: 'read',
    checkpoints: 'read',
  },
  objects: { entries: 'store', log: 'fetch', uploads: 'shred' },
  keys: { head: 'sign' },
  uploads: 'offer',
} as const
export type AppendPorts = Ports<typeof APPEND_NEEDS>
