// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What sequencing uses, and no more: it reads what is to be logged, and writes nothing but the log. */
export const SEQUENCER_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    labels: 'read',
    registry: 'read',
    dirty: 'read',
    leaves: 'append',
    checkpoints: 'write',
  },
  objects: { log: 'store', staging: 'shred' },
  keys: { log: 'sign', 'log-quantum': 'sign' },
} as const
export type SequencerPorts = Ports<typeof SEQUENCER_NEEDS>
