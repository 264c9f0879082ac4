// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/**
 * What repairing the log uses. No role of a home holds it: whoever repairs has the stores to itself, because a sequencer
 * must not read rows that are half made.
 */
export const REPAIR_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    labels: 'read',
    chains: 'read',
    dirty: 'read',
    registry: 'read',
    leaves: 'write',
    checkpoints: 'write',
  },
  objects: { log: 'shred' },
  keys: {},
} as const
export type RepairPorts = Ports<typeof REPAIR_NEEDS>
