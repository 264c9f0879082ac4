// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '../../errors.ts'

/** How often a record is judged anew before whoever writes is told to try again. */
const MAX_JUDGED = 20

/**
 * Judges a record and appends to it as it was judged. Turns keep writes of one process apart; another process, or another institution,
 * may have appended meanwhile: then it is judged anew, as it is now.
 * @param act throws HEAD_CONFLICT when the record moved on
 */
export async function ontoJudged<T>(act: () => Promise<T>): Promise<T> {
  for (let times = 1; ; times++) {
    try {
      return await act()
    } catch (error) {
      if (!isAmpereError(error, 'HEAD_CONFLICT') || times === MAX_JUDGED) throw error
    }
  }
}
