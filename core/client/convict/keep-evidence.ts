// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '../../errors.ts'
import type { EvidencePins } from '../../evidence/trust.ts'
import { verifyEvidence } from '../../evidence/verify.ts'
import type { EvidenceSink } from '../client.ts'

/** What a sink may throw; everything else of ours says that what was found convicts nobody. */
const UNKEPT = ['LIMIT_EXCEEDED', 'STORE_FULL', 'STORE_UNAVAILABLE'] as const

/** What stands in a message before the name of the evidence file that was kept. */
export const KEPT_AS = '; evidence is kept as '

/**
 * Keeps evidence of what was found, if it convinces by the same pins as a third party would use. Whatever keeps it from
 * being kept must not hide what was found: nothing of it is thrown.
 * @returns what is to be added to the message: where it is kept, that it could not be, or nothing where it convicts nobody
 */
export async function keepEvidence(
  sink: EvidenceSink,
  pins: EvidencePins,
  make: () => Promise<Uint8Array>,
): Promise<string> {
  try {
    const bytes = await make()
    await verifyEvidence(bytes, pins)
    return `${KEPT_AS}${await sink(bytes)}`
  } catch (failure) {
    if (isAmpereError(failure) && !isAmpereError(failure, ...UNKEPT)) return ''
    return '; the evidence of it could not be kept'
  }
}
