// SPDX-License-Identifier: Apache-2.0
import { LOOKUP_NEEDS } from '#core/server/monitor/needs.ts'

/** Answers what is in monitored logs: it reads what the monitor copied, and signs with the key for statements. */
export const role = { name: 'lookup', needs: LOOKUP_NEEDS } as const
