// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/**
 * What sequencing uses, and no more: it reads what is to be logged, writes nothing but the log, and of all else removes
 * only marks.
 */
export const SEQUENCER_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    labels: 'read',
    registry: 'read',
    dirty: 'write',
    leaves: 'append',
    checkpoints: 'write',
  },
  objects: { log: 'store', staging: 'shred' },
  keys: { log: 'sign', 'log-quantum': 'sign' },
} as const
export type SequencerPorts = Ports<typeof SEQUENCER_NEEDS>
