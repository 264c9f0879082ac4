// SPDX-License-Identifier: Apache-2.0
import { COSIGNER_NEEDS } from '#core/server/cosign/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'

/** Writes blocks into the log and has it cosigned, on schedule and whenever somebody waits. It has no route. */
export const role = {
  name: 'sequencer',
  needs: {
    tables: { ...COSIGNER_NEEDS.tables, ...SEQUENCER_NEEDS.tables },
    objects: { ...COSIGNER_NEEDS.objects, ...SEQUENCER_NEEDS.objects },
    keys: { ...COSIGNER_NEEDS.keys, ...SEQUENCER_NEEDS.keys },
  },
} as const
