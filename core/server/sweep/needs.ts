// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What removing unreferenced parts, and uploads that nobody appended, uses: beside carrying out erasures the only act that removes anything. */
export const SWEEPER_NEEDS = {
  tables: {
    blocks: 'read',
    dirty: 'write',
    wraps: 'write',
    packages: 'write',
    labels: 'write',
    states: 'write',
    chains: 'write',
    jobs: 'write',
    quotas: 'write',
  },
  objects: { entries: 'shred', uploads: 'shred' },
  keys: {},
} as const
export type SweeperPorts = Ports<typeof SWEEPER_NEEDS>
