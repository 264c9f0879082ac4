// SPDX-License-Identifier: Apache-2.0
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { STANDING_NEEDS } from '#core/server/standing/standing.ts'

/** Cosigns the logs of others: one table of its own, two keys of its own, and nothing of the home's chains. */
export const role = {
  name: 'witness',
  needs: { ...WITNESS_NEEDS, tables: { ...WITNESS_NEEDS.tables, ...STANDING_NEEDS.tables } },
} as const
