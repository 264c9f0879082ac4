// SPDX-License-Identifier: Apache-2.0
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'

/** Cosigns the logs of others: one table of its own, two keys of its own, and nothing of the home's chains. */
export const role = { name: 'witness', needs: WITNESS_NEEDS } as const
