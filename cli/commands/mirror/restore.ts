// SPDX-License-Identifier: Apache-2.0
import type { Call } from '../../program/command.ts'
import { openMirrorCopy } from '../../mirror/copy-source.ts'
import { restoreLost, type RestoreCallOptions } from '../../restore/restore-lost.ts'

/** Restores the lost home of this data folder from the data folder of a mirror, or from its server. */
export async function restoreFromMirror(call: Call<RestoreCallOptions>): Promise<number> {
  const given = call.args[0] ?? ''
  return restoreLost(call, { word: 'mirror', open: (from) => openMirrorCopy(given, from) })
}
