// SPDX-License-Identifier: Apache-2.0
import type { Accepted } from '#core/client/enrol/accept.ts'

/** The seed that came with an approval. */
export function openHandedOver(accepted: Accepted): Uint8Array | null {
  return accepted.answer === 'approved' ? accepted.seed : null
}
