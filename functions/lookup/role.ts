// SPDX-License-Identifier: Apache-2.0
import { LOOKUP_NEEDS } from '#core/server/monitor/needs.ts'
import { STANDING_NEEDS } from '#core/server/standing/standing.ts'

/** Answers what is in monitored logs: it reads what the monitor copied, and signs with the key for statements. */
export const role = {
  name: 'lookup',
  needs: { ...LOOKUP_NEEDS, tables: { ...LOOKUP_NEEDS.tables, ...STANDING_NEEDS.tables } },
} as const
