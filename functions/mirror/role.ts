// SPDX-License-Identifier: Apache-2.0
import { MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'

/** Copies, on schedule, what other homes grant an institution of this deployment to hold. It has no route. */
export const role = { name: 'mirror', needs: MIRROR_NEEDS } as const
