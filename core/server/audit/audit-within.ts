// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import type { OpenAudit } from './audit.ts'
import type { ChainReport } from './report.ts'

/** The audit of one chain, or null when the time was over before its end. */
export async function auditWithin(
  audit: OpenAudit,
  chain: ChainId,
  isOver: () => boolean,
): Promise<ChainReport | null> {
  const gaveUp = new AmpereError('UNSUPPORTED', 'the time for an audit is over')
  try {
    return await audit.chain(chain, () => {
      if (isOver()) throw gaveUp
    })
  } catch (error) {
    if (error === gaveUp) return null
    throw error
  }
}
