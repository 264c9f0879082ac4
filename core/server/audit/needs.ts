// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What auditing uses: it reads everything, changes nothing, notes how far it found the log in order, keeps audits that are under way, and begins jobs. */
export const AUDITOR_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    wraps: 'read',
    packages: 'read',
    labels: 'read',
    chains: 'read',
    dirty: 'read',
    jobs: 'append',
    receipts: 'read',
    registry: 'read',
    leaves: 'read',
    checkpoints: 'append',
    audits: 'write',
  },
  objects: { entries: 'fetch', log: 'fetch' },
  keys: {},
} as const
export type AuditorPorts = Ports<typeof AUDITOR_NEEDS>
