// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What a backup reads of a home: what a copy of it has. It writes nothing there, and uses no key. */
export const BACKUP_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    wraps: 'read',
    packages: 'read',
    labels: 'read',
    chains: 'read',
    jobs: 'read',
    receipts: 'read',
    registry: 'read',
    checkpoints: 'read',
  },
  objects: { entries: 'fetch', log: 'fetch' },
  keys: {},
} as const
export type BackupPorts = Ports<typeof BACKUP_NEEDS>
