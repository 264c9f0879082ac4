// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openUnderPrefix } from '#adapters/local/store/under-prefix.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { isAmpereError } from '#core/errors.ts'
import { MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'
import { MIRRORED_KEY } from '#core/server/mirror/statement.ts'
import { objectName } from '#core/server/store/rows.ts'
import type { TableName } from '#core/ports/needs.ts'

/**
 * Removes the copy of one home from a mirror's stores for good: every row, every wrapped key, every sealed object. What it
 * stated to hold stays, because a copy that begins anew must never state less: that would convict it. May be repeated after it failed. @throws AmpereError STORE_LOCKED while a process has the folder
 */
export async function forgetCopy(
  folder: string,
  deployment: string,
): Promise<{ readonly rows: number; readonly objects: number }> {
  const under = openUnderPrefix(join(folder, 'home'), `${deployment}/`)
  try {
    // Small objects are listed; those that are files are known by the blocks that name them.
    const large = new Set<string>()
    for await (const [, value] of under.values('mirror', 'blocks/')) {
      const name = objectIn(value)
      if (name !== null) large.add(`entries/${name}`)
    }
    return await under.removeAll(
      Object.keys(MIRROR_NEEDS.tables) as TableName[],
      'mirror',
      large,
      MIRRORED_KEY,
    )
  } finally {
    await under.close()
  }
}

/** The object of a block, or null; a block that was changed beyond reading names none. */
function objectIn(value: Uint8Array): string | null {
  try {
    const { chain, block } = parseBlock(fromUtf8(value))
    return block.entries && objectName(chain, block.entries.root)
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return null
  }
}
