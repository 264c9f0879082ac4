// SPDX-License-Identifier: Apache-2.0
import { WORKER_NEEDS } from '#core/server/job/needs.ts'

/** Does in slices what takes longer than a request may. */
export const role = { name: 'worker', needs: WORKER_NEEDS } as const
