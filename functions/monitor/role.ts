// SPDX-License-Identifier: Apache-2.0
import { MONITOR_NEEDS } from '#core/server/monitor/needs.ts'

/** Copies and verifies the logs of others, on schedule. It has no route, and no key: what it reads comes from strangers. */
export const role = { name: 'monitor', needs: MONITOR_NEEDS } as const
