// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What auditing uses: it reads everything and changes nothing. */
export const AUDITOR_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    wraps: 'read',
    packages: 'read',
    labels: 'read',
    chains: 'read',
    dirty: 'read',
    jobs: 'read',
    receipts: 'read',
    registry: 'read',
  },
  objects: { entries: 'fetch' },
  keys: {},
} as const
export type AuditorPorts = Ports<typeof AUDITOR_NEEDS>
