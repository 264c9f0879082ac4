// SPDX-License-Identifier: Apache-2.0
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'

/** Writes blocks into the log, on schedule and whenever somebody waits. It has no route. */
export const role = { name: 'sequencer', needs: SEQUENCER_NEEDS } as const
